"""A DuckDB file as a source: read by DuckDB itself, so that its types arrive as they are."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from agent.core.driving import DriverError, RunContext
from agent.core.wire import ConnectionGrant
from agent.resources.connections import in_time, parse_url
from agent.resources.datasets.duck import Duck, confine, load_duckdb, named, quoted
from agent.resources.datasets.gathering import TABLE, check_names, columns_of
from agent.resources.datasets.query import numbered
from shared.models.dataset import SnapshotColumn

_AS_TEXT = ("INTERVAL", "TIME WITH TIME ZONE", "BIT", "TIME_NS", "GEOMETRY", "ENUM", "BIGNUM", "UNION")
_AS_WHOLE = ("HUGEINT", "UHUGEINT")
_AS_JSON = ("STRUCT", "MAP", "VARIANT")


def gather_natively(
    context: RunContext, bench: Duck, grant: ConnectionGrant, query: str, parameters: Mapping[str, Any]
) -> list[SnapshotColumn]:
    """SQLAlchemyError, as from every other source, if the file or the query cannot be read."""
    duckdb = load_duckdb()
    errors = duckdb.Error
    try:
        bench.execute(f"ATTACH {quoted(str(parse_url(grant.url).database))} AS source (READ_ONLY)")
        home = bench.execute("SELECT current_database()").fetchone()[0]
        confine(bench, context.scratch)
        bench.execute("USE source")
        text, values = numbered(query, parameters)
        _require_one_select(bench, text)
        raw = f"{named(home)}.main.raw"
        with in_time(grant.query_seconds, f"connection '{grant.name}'", bench.interrupt):
            bench.execute(f"CREATE TABLE {raw} AS {text}", values or None)
        bench.execute(f"USE {named(home)}")
        bench.execute("DETACH source")
    except errors as error:
        context.check_cancelled()
        with suppress(errors):
            bench.execute("DETACH source")
        if isinstance(error, duckdb.ProgrammingError | duckdb.DataError):
            reason = str(error).partition("\n\n")[0].replace("\n", " ")
            raise DriverError("query", f"connection '{grant.name}' cannot answer the query: {reason}") from None
        raise sa.exc.DBAPIError(None, None, error) from None
    _shape(bench)
    rows = bench.execute(f"SELECT count(*) FROM {TABLE}").fetchone()[0]
    context.progress(rows, rows, unit="rows")
    return columns_of(bench, TABLE)


def _require_one_select(bench: Duck, text: str) -> None:
    statements = bench.extract_statements(text)
    if len(statements) != 1 or statements[0].type.name != "SELECT":
        raise DriverError("query", "must be one SELECT; sources are only read")


def _shape(bench: Duck) -> None:
    """What Parquet would round, or other formats do not know, as text or as JSON."""
    columns = columns_of(bench, "raw")
    check_names(column.name for column in columns)
    chosen = ", ".join(f"{kept_as(named(column.name), column.type)} AS {named(column.name)}" for column in columns)
    bench.execute(f"CREATE OR REPLACE VIEW {TABLE} AS SELECT {chosen} FROM raw")


def kept_as(name: str, type_: str) -> str:
    """A column (a quoted name) as snapshots have it: what Parquet would round is a decimal or text, what is nested is JSON."""
    if type_.endswith("]") or type_.startswith(_AS_JSON):
        return f"to_json({name})::VARCHAR"
    if type_ in _AS_WHOLE:
        return f"{name}::DECIMAL(38,0)"
    return f"{name}::VARCHAR" if type_.startswith(_AS_TEXT) else name
