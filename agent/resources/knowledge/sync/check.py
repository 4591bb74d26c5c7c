"""Looking at the live source before a job is published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from agent.core.driving import DriverError
from agent.core.wire import ConnectionGrant
from agent.resources.connections import look_up
from agent.resources.knowledge.sync.parameters import ResetParameters, SyncParameters, TableParameters
from agent.resources.knowledge.sync.plan import make_plan
from shared.errors import Fault, InvalidInput


def check(
    parameters: SyncParameters | ResetParameters,
    connections: Mapping[str, ConnectionGrant],
    _knowledge_bases: Mapping[str, Any],
) -> None:
    """InvalidInput with a fault under `data` for each table and column that is not there, or cannot serve."""
    faults: list[Fault] = []
    for place, table in enumerate(parameters.tables()):
        try:
            _check_table(table, connections)
        except InvalidInput as error:
            faults += error.faults if parameters.streams is None else _of_stream(place, error.faults)
    if faults:
        raise InvalidInput(faults)


def _of_stream(place: int, faults: Iterable[Fault]) -> list[Fault]:
    return [replace(fault, field=f"data.streams.{place}{fault.field.removeprefix('data')}") for fault in faults]


def _check_table(parameters: TableParameters, connections: Mapping[str, ConnectionGrant]) -> None:
    grant = connections.get(parameters.connection)
    if grant is None:
        raise _invalid_table(parameters, f"there is no connection '{parameters.connection}'")
    try:
        table = look_up(grant, parameters.table)
    except DriverError as error:
        if error.kind == "unknown_table":
            raise _invalid_table(parameters, error.message) from None
        raise _invalid_table(parameters, f"the table cannot be checked: {error.message}") from None
    make_plan(parameters, table)


def _invalid_table(parameters: TableParameters, message: str) -> InvalidInput:
    return InvalidInput.one("data.source_table", message, parameters.source_table, "invalid_table")
