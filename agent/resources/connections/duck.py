"""DuckDB described by its own catalogue: the reflection of its SQLAlchemy dialect is PostgreSQL's and fails there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_NAMES = """
    SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal AND database_name = current_database()
    UNION ALL
    SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal AND database_name = current_database()
"""
_COLUMNS = """
    SELECT column_name, data_type, is_nullable FROM duckdb_columns()
    WHERE database_name = current_database() AND schema_name = :schema AND table_name = :name ORDER BY column_index
"""
_CONSTRAINTS = """
    SELECT constraint_type, constraint_column_names FROM duckdb_constraints()
    WHERE database_name = current_database() AND schema_name = :schema AND table_name = :name
"""
_TYPES: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    (r".*\[.*\]|STRUCT.*|MAP.*|UNION.*|JSON|VARIANT|GEOMETRY", sa.JSON()),
    (r"BLOB|BIT.*", sa.LargeBinary()),
    (r"TIMESTAMP WITH TIME ZONE", sa.DateTime(timezone=True)),
    (r"TIMESTAMP.*", sa.DateTime()),
    (r"DATE", sa.Date()),
    (r"BOOLEAN", sa.Boolean()),
    (r"DECIMAL.*", sa.Numeric()),
    (r"FLOAT|DOUBLE", sa.Float()),
    (r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BIGNUM", sa.BigInteger()),
    (r"UUID", sa.Uuid()),
    (r"INTERVAL", sa.Interval()),
    (r"TIME.*", sa.Time()),
    (r"VARCHAR.*|ENUM.*", sa.String()),
)


@dataclass(frozen=True, slots=True)
class DuckTable:
    columns: list[dict[str, Any]]
    primary_key: tuple[str, ...]
    unique: tuple[frozenset[str], ...]
    leading: frozenset[str]


def names(connection: Connection) -> set[tuple[str | None, str]]:
    """(schema or None for `main`, name) of every table and view."""
    return {(None if schema == "main" else schema, name) for schema, name in connection.execute(sa.text(_NAMES))}


def describe(connection: Connection, schema: str | None, name: str) -> DuckTable:
    """The table's columns in the shape of SQLAlchemy's inspector, and its keys."""
    place = {"schema": schema or "main", "name": name}
    columns = [
        {"name": column, "type": _type(text), "nullable": nullable}
        for column, text, nullable in connection.execute(sa.text(_COLUMNS), place)
    ]
    constraints = [(kind, tuple(of)) for kind, of in connection.execute(sa.text(_CONSTRAINTS), place)]
    primary = next((of for kind, of in constraints if kind == "PRIMARY KEY"), ())
    unique = [of for kind, of in constraints if kind == "UNIQUE"]
    return DuckTable(
        columns, primary, tuple(map(frozenset, unique)), frozenset(of[0] for of in (primary, *unique) if of)
    )


def _type(text: str) -> sa.types.TypeEngine[Any]:
    for pattern, type_ in _TYPES:
        if re.fullmatch(pattern, text, re.IGNORECASE):
            return type_
    return sa.types.NULLTYPE
