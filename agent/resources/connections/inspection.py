"""What a source holds: tables, columns, keys."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.sql import sqltypes

from agent.resources.connections import duck

_MOST_COMPARED, _LONGEST_COMPARED = 1000, 200
"""Names that a wrong one is compared with, and their characters: files come with any number of them, however long."""
ColumnKind = Literal["timestamp", "date", "number", "text", "other", "opaque"]


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """`kind` says how values compare and shift; `opaque` ones (binary, JSON, arrays, unknown) are no attributes."""

    name: str
    type: sa.types.TypeEngine[Any]
    type_name: str
    kind: ColumnKind
    nullable: bool


@dataclass(frozen=True, slots=True)
class TableInfo:
    """`schema` is None in the source's default schema. `unique` lists the column sets declared unique,
    `leading` the first columns of its indexes."""

    schema: str | None
    name: str
    columns: dict[str, ColumnInfo]
    primary_key: tuple[str, ...]
    unique: tuple[frozenset[str], ...] = ()
    leading: frozenset[str] = frozenset()

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


def list_tables(engine: Engine) -> list[str]:
    """Tables and views, those of the default schema by bare name, others as `schema.table`; sorted."""
    with engine.connect() as connection:
        return sorted(f"{schema}.{name}" if schema else name for schema, name in _names(connection))


def find_table(engine: Engine, name: str) -> TableInfo | None:
    """The table called `name`: as it stands in the default schema, else read as `schema.table`."""
    with engine.connect() as connection:
        places = [(None, name), *_split_schema(name)]
        present = _names(connection)
        for schema, table in places:
            if schema == _default_schema(connection):
                schema = None
            if (schema, table) in present:
                return _describe(connection, schema, table)
    return None


def near(name: str, candidates: list[str]) -> list[str]:
    """Up to three of `candidates` that `name` may have meant, letter case aside."""
    by_lower = {each.lower(): each for each in candidates[:_MOST_COMPARED] if len(each) <= _LONGEST_COMPARED}
    return [by_lower[match] for match in get_close_matches(name.lower(), list(by_lower), n=3, cutoff=0.5)]


def _split_schema(name: str) -> list[tuple[str, str]]:
    schema, dot, table = name.partition(".")
    return [(schema, table)] if dot and schema and table else []


def _default_schema(connection: Connection) -> str | None:
    if connection.dialect.name == "duckdb":
        return "main"
    return sa.inspect(connection).default_schema_name


def _names(connection: Connection) -> set[tuple[str | None, str]]:
    if connection.dialect.name == "duckdb":
        return duck.names(connection)
    inspector = sa.inspect(connection)
    found: set[tuple[str | None, str]] = set()
    for schema in _schemas(inspector, connection):
        views = inspector.get_view_names(schema)
        if connection.dialect.name == "postgresql":
            views = [*views, *inspector.get_materialized_view_names(schema)]
        found.update((schema, name) for name in (*inspector.get_table_names(schema), *views))
    return found


def _schemas(inspector: sa.Inspector, connection: Connection) -> list[str | None]:
    hidden = {"information_schema", "pg_catalog", "pg_toast", "mysql", "performance_schema", "sys"}
    default = inspector.default_schema_name
    if connection.dialect.name == "sqlite":
        return [None]
    others = (name for name in inspector.get_schema_names() if name != default and name not in hidden)
    return [None, *others]


def _describe(connection: Connection, schema: str | None, name: str) -> TableInfo:
    if connection.dialect.name == "duckdb":
        parts = duck.describe(connection, schema, name)
        return TableInfo(schema, name, _columns(parts.columns), parts.primary_key, parts.unique, parts.leading)
    inspector = sa.inspect(connection)
    indexes = inspector.get_indexes(name, schema)
    primary = tuple(inspector.get_pk_constraint(name, schema)["constrained_columns"])
    sets: list[list[Any]] = [
        constraint["column_names"] for constraint in inspector.get_unique_constraints(name, schema)
    ]
    sets += [index["column_names"] for index in indexes if index["unique"] and not _is_partial(index)]
    first = [columns[0] for columns in (primary, *sets, *(index["column_names"] for index in indexes)) if columns]
    return TableInfo(
        schema,
        name,
        _columns(inspector.get_columns(name, schema)),
        primary,
        tuple(frozenset(columns) for columns in sets if None not in columns),
        frozenset(column for column in first if column),
    )


def _is_partial(index: Any) -> bool:
    return any(option.endswith("_where") for option in index.get("dialect_options", {}))


def _columns(reflected: Any) -> dict[str, ColumnInfo]:
    return {
        column["name"]: ColumnInfo(
            column["name"], column["type"], str(column["type"]), _kind(column["type"]), bool(column["nullable"])
        )
        for column in reflected
    }


def _kind(type_: sa.types.TypeEngine[Any]) -> ColumnKind:
    for classes, kind in _KINDS:
        if isinstance(type_, classes):
            return kind
    return "other"


_KINDS: tuple[tuple[tuple[type[Any], ...], ColumnKind], ...] = (
    ((sqltypes._Binary, sqltypes.JSON, sqltypes.ARRAY, sqltypes.NullType), "opaque"),
    ((sqltypes.DateTime, sqltypes.TIMESTAMP), "timestamp"),
    ((sqltypes.Date,), "date"),
    ((sqltypes.Boolean,), "other"),
    ((sqltypes.Numeric, sqltypes.Integer), "number"),
    ((sqltypes.String,), "text"),
)
