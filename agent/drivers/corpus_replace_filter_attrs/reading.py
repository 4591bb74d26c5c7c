"""Columns of the source table, read by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.core.driving import DriverError
from agent.core.wire import ConnectionGrant
from agent.drivers.corpus_replace_filter_attrs.parameters import ReplaceParameters
from agent.resources.connections import TableInfo, look_up, open_source
from agent.resources.connections.inspection import near
from agent.resources.knowledge.sync.plan import Plan
from agent.resources.knowledge.sync.scan import Scan
from agent.resources.knowledge.sync.source import Bounds, Page, TableSource
from shared.errors import Fault, InvalidInput

Values = dict[str, dict[str, Any]]
"""By key, the value of each attribute."""


def check(
    parameters: ReplaceParameters, connections: Mapping[str, ConnectionGrant], _knowledge_bases: Mapping[str, Any]
) -> None:
    """InvalidInput with a fault under `data` for the table and each column that is not there."""
    grant = connections.get(parameters.connection or "")
    if grant is None:
        return
    try:
        table = look_up(grant, parameters.table)
    except DriverError as error:
        raise InvalidInput.one("data.origin", error.message, parameters.origin, "invalid_table") from None
    if faults := list(_unknown_columns(parameters, table)):
        raise InvalidInput(faults)


def read_values(
    grant: ConnectionGrant, parameters: ReplaceParameters, keys: tuple[str, ...], begun: str | None
) -> Iterator[tuple[Values, Scan]]:
    """Page by page, with how far it is then; from the beginning or from where a page before ended."""
    table = look_up(grant, parameters.table)
    for fault in _unknown_columns(parameters, table):
        raise DriverError(fault.code, fault.message)
    engine = open_source(grant.url, grant.query_seconds)
    try:
        source = TableSource(engine, grant.name, grant.url, table, _plan(parameters, table, keys))
        bounds = Bounds(whole=True)
        scan = Scan.from_json(begun) if begun else Scan(bounds, source.count(bounds))
        while (page := source.page(bounds, scan.position, parameters.batch_size)).rows:
            scan = scan.at(page.last, len(page.rows))
            yield _values(parameters, page), scan
    finally:
        engine.dispose()


def _values(parameters: ReplaceParameters, page: Page) -> Values:
    return {row.key: {name: row.attributes[column] for name, column in parameters.columns.items()} for row in page.rows}


def _plan(parameters: ReplaceParameters, table: TableInfo, keys: tuple[str, ...]) -> Plan:
    """Nothing but keys and the columns asked for."""
    return Plan(
        table=table.full_name,
        content=(),
        filter=keys[0],
        keys=keys,
        attributes=tuple(dict.fromkeys(parameters.columns.values())),
        keys_unique=True,
        keys_nullable=False,
        filter_indexed=True,
    )


def _unknown_columns(parameters: ReplaceParameters, table: TableInfo) -> Iterator[Fault]:
    for name, column in parameters.columns.items():
        if column not in table.columns:
            close = near(column, list(table.columns))
            hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"it has {', '.join(table.columns)}"
            message = f"table {table.full_name} has no column '{column}'; {hint}"
            yield Fault(f"data.columns.{name}", message, column, "unknown_column")
