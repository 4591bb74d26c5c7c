"""A table that somebody names, as it is now."""

from __future__ import annotations

from agent.core.driving import DriverError
from agent.core.wire import ConnectionGrant
from agent.resources.connections.engine import open_source
from agent.resources.connections.failures import naming_failures
from agent.resources.connections.inspection import TableInfo, find_table, list_tables, near
from agent.resources.connections.query_time import LOOK_SECONDS, query_time


def look_up(grant: ConnectionGrant, name: str) -> TableInfo:
    """The table as it is now; DriverError `unknown_table` with near names, `source_unreachable` and the like."""
    engine = open_source(grant.url, LOOK_SECONDS)
    try:
        with naming_failures(grant.name, grant.url), query_time(engine, grant.name):
            table = find_table(engine, name)
            if table is not None:
                return table
            tables = list_tables(engine)
    finally:
        engine.dispose()
    raise DriverError("unknown_table", f"connection '{grant.name}' has no table '{name}'; {_hint(name, tables)}")


def _hint(name: str, tables: list[str]) -> str:
    if close := near(name, tables):
        return f"did you mean {' or '.join(map(repr, close))}?"
    if not tables:
        return "it has no tables"
    return f"it has {', '.join(tables[:10])}" + (" …" if len(tables) > 10 else "")
