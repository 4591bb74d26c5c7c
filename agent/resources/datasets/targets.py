"""A table of a connection as the target of an import: rows go in by batches, each a transaction of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from agent.core.driving import RunContext
from agent.core.wire import ConnectionGrant
from agent.resources.connections import TableInfo, connect_args, first_line, naming_failures, parse_url
from agent.resources.datasets import standing as standings
from agent.resources.datasets.converting import Sort
from agent.resources.datasets.standing import Standing

BUSY_SECONDS = 30
_REASON = 500
"""Characters of what is told of a row."""
_SORTS: tuple[tuple[type[sa.types.TypeEngine[Any]], Sort], ...] = (
    (sa.Boolean, "boolean"),
    (sa.Integer, "integer"),
    (sa.Float, "float"),
    (sa.Numeric, "decimal"),
    (sa.Date, "date"),
    (sa.Time, "time"),
    (sa.LargeBinary, "bytes"),
    (sa.Uuid, "uuid"),
    (sa.JSON, "json"),
)
_SQLITE_SORTS: tuple[tuple[type[sa.types.TypeEngine[Any]], Sort], ...] = (
    (sa.Integer, "integer"),
    (sa.Float, "number"),
    (sa.Numeric, "number"),
    (sa.LargeBinary, "bytes"),
    (sa.String, "text"),
)


class RowRefused(Exception):
    """The target does not take the rows: one of them breaks a rule of the table."""


class Target(Protocol):
    """Writes rows of the columns that it was made for, with how far the import is."""

    def standing(self) -> Standing: ...

    def write(self, rows: Sequence[Sequence[Any]], after: Standing) -> None:
        """All rows and the standing, or nothing. RowRefused."""

    def close(self) -> None: ...


def sort_of(type_: sa.types.TypeEngine[Any], kind: str) -> Sort:
    """What a column takes. SQLite's columns take most things; those with a declared number take numbers alone."""
    if kind == "sqlite":
        if isinstance(type_, sa.Date | sa.DateTime | sa.Time | sa.Boolean | sa.types.NullType):
            return "any"
        return next((sort for class_, sort in _SQLITE_SORTS if isinstance(type_, class_)), "any")
    if isinstance(type_, sa.DateTime):
        return "moment" if type_.timezone else "timestamp"
    return next((sort for class_, sort in _SORTS if isinstance(type_, class_)), "text")


class SqlTarget:
    """Any source that SQLAlchemy writes to. `keys`: of an upsert; None: rows are inserted, each once."""

    def __init__(
        self,
        context: RunContext,
        grant: ConnectionGrant,
        table: TableInfo,
        columns: Sequence[str],
        keys: Sequence[str] | None,
    ) -> None:
        self._context = context
        self._grant = grant
        self._once = keys is None
        self._engine = open_target(grant.url)
        preparer = self._engine.dialect.identifier_preparer
        place = ".".join(preparer.quote_identifier(part) for part in (table.schema, table.name) if part)
        self._names = [f"p{number}" for number in range(len(columns))]
        quoted = [preparer.quote_identifier(column) for column in columns]
        key = None if keys is None else [preparer.quote_identifier(name) for name in keys]
        self._insert = sa.text(_statement(grant.kind, place, quoted, self._names, key))

    def standing(self) -> Standing:
        if not self._once:
            return standings.saved(self._context)
        with naming_failures(self._grant.name, self._grant.url), self._engine.begin() as connection:
            return standings.begin(_executing(connection), self._context)

    def write(self, rows: Sequence[Sequence[Any]], after: Standing) -> None:
        with naming_failures(self._grant.name, self._grant.url), self._engine.begin() as connection:
            if rows:
                self._put(connection, rows)
            if self._once:
                standings.note(_executing(connection), self._context, after)
        if not self._once:
            standings.save(self._context, after)

    def close(self) -> None:
        self._engine.dispose()

    def _put(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
        try:
            connection.execute(self._insert, [dict(zip(self._names, row, strict=True)) for row in rows])
        except (sa.exc.IntegrityError, sa.exc.DataError) as error:
            raise RowRefused(first_line(error)[:_REASON]) from None
        except (sa.exc.InterfaceError, OverflowError) as error:  # a value that the driver cannot hand over
            raise RowRefused(first_line(error)[:_REASON]) from None


def open_target(url: str) -> Engine:
    """As `open_source`, to write. A SQLite file is not created."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        place = f"file:{quote(str(parsed.database))}?mode=rw&uri=true"
        return sa.create_engine(f"sqlite:///{place}", connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    return sa.create_engine(parsed, connect_args=connect_args(parsed), hide_parameters=True)


def _statement(kind: str, table: str, columns: Sequence[str], names: Sequence[str], keys: Sequence[str] | None) -> str:
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in names)})"
    if keys is None:
        return insert
    if kind in ("mysql", "mariadb"):
        others = [column for column in columns if column not in keys] or list(keys[:1])
        return f"{insert} ON DUPLICATE KEY UPDATE {', '.join(f'{column} = VALUES({column})' for column in others)}"
    return f"{insert} {on_conflict(columns, keys)}"


def on_conflict(columns: Sequence[str], keys: Sequence[str]) -> str:
    """The rest of an upsert; all names are quoted already."""
    changed = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in keys)
    return f"ON CONFLICT ({', '.join(keys)}) DO {f'UPDATE SET {changed}' if changed else 'NOTHING'}"


def _executing(connection: Connection) -> standings.Execute:
    def execute(statement: str, values: Mapping[str, Any]) -> Any:
        result = connection.execute(sa.text(statement), dict(values))
        return result.first() if result.returns_rows else None

    return execute
