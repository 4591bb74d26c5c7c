"""A job's parameters laid against the table as it is: every fault at once, each naming what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agent.resources.connections import TableInfo
from agent.resources.connections.inspection import near
from agent.resources.knowledge.sync.parameters import TableParameters, TableSync
from shared.errors import Fault, InvalidInput

MISSING_KEY = "missing_key"


@dataclass(frozen=True, slots=True)
class Plan:
    """Which columns play which part. `scope` names what the watermark belongs to within its share."""

    table: str
    content: tuple[str, ...]
    filter: str
    keys: tuple[str, ...]
    attributes: tuple[str, ...]
    keys_unique: bool
    keys_nullable: bool
    filter_indexed: bool

    @property
    def scope(self) -> dict[str, Any]:
        return {"filter": self.filter, "content": list(self.content), "attributes": list(self.attributes)}


def make_plan(parameters: TableParameters, table: TableInfo) -> Plan:
    """The plan, or InvalidInput with a fault for each wrong column under `data`."""
    keys = tuple(parameters.key_columns or table.primary_key)
    faults = [
        *_unknown("content_columns", parameters.content_columns, table),
        *_unknown("filter_column", [parameters.filter_column], table),
        *_unknown("key_columns", parameters.key_columns or (), table),
        *_unknown("attribute_columns", parameters.attribute_columns or (), table),
        *_without_key(keys, table),
        *_unsortable(parameters, table),
        *_wrong_lag(parameters, table),
    ]
    if faults:
        raise InvalidInput(faults)
    content = tuple(parameters.content_columns)
    return Plan(
        table=table.full_name,
        content=content,
        filter=parameters.filter_column,
        keys=keys,
        attributes=_attributes(parameters, table),
        keys_unique=set(keys) >= set(table.primary_key or [""]) or any(set(keys) >= unique for unique in table.unique),
        keys_nullable=any(table.columns[name].nullable for name in keys),
        filter_indexed=parameters.filter_column in table.leading,
    )


def _attributes(parameters: TableParameters, table: TableInfo) -> tuple[str, ...]:
    if parameters.attribute_columns is not None:
        return tuple(parameters.attribute_columns)
    return tuple(
        name
        for name, column in table.columns.items()
        if name not in parameters.content_columns and column.kind != "opaque"
    )


def _unknown(field: str, names: Sequence[str], table: TableInfo) -> list[Fault]:
    return [
        Fault(f"data.{field}", _no_column(name, table), name, "unknown_column")
        for name in names
        if name not in table.columns
    ]


def _no_column(name: str, table: TableInfo) -> str:
    close = near(name, list(table.columns))
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"it has {', '.join(table.columns)}"
    return f"table {table.full_name} has no column '{name}'; {hint}"


def _without_key(keys: Sequence[str], table: TableInfo) -> list[Fault]:
    if keys:
        return []
    message = (
        f"table {table.full_name} has no primary key; name in key_columns the columns that tell its rows apart,"
        f" from {', '.join(table.columns)}"
    )
    return [Fault("data.key_columns", message, None, MISSING_KEY)]


def _unsortable(parameters: TableParameters, table: TableInfo) -> list[Fault]:
    fields = [("filter_column", parameters.filter_column), *(("key_columns", n) for n in parameters.key_columns or ())]
    return [
        Fault(
            f"data.{field}",
            f"column '{name}' has type {table.columns[name].type_name}, which does not sort;"
            " take a timestamp, a date, a number or a text",
            name,
        )
        for field, name in fields
        if name in table.columns and _does_not_sort(table.columns[name].type_name, table.columns[name].kind)
    ]


def _does_not_sort(type_name: str, kind: str) -> bool:
    # A column without a declared type (SQLite, views) says nothing about its values; binary ones do sort.
    return kind == "opaque" and not any(word in type_name.upper() for word in ("NULL", "BLOB", "BINARY", "BYTEA"))


def _wrong_lag(parameters: TableParameters, table: TableInfo) -> list[Fault]:
    column = table.columns.get(parameters.filter_column)
    if not isinstance(parameters, TableSync) or not parameters.lag or column is None:
        return []
    spans = isinstance(parameters.parsed_lag(), timedelta)
    if spans and column.kind == "number":
        return [Fault("data.lag", f"'{column.name}' holds numbers: write the lag as a number", parameters.lag)]
    if not spans and column.kind in ("timestamp", "date"):
        return [Fault("data.lag", f"'{column.name}' holds times: write a span, as in '5 minutes'", parameters.lag)]
    return []
