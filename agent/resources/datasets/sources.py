"""What a connection's query or table holds, brought onto the workbench: read only, in batches, whatever the source.

Read-only is enforced by who can: SQLite's file is opened so and its authorizer lets nothing but reading through;
PostgreSQL and MySQL get a read-only transaction, and one statement by their protocol; DuckDB's file is attached so,
and nothing outside of it can be reached.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, CursorResult, Engine

from agent.core.driving import DriverError, RunContext
from agent.core.wire import ConnectionGrant
from agent.resources.connections import look_up, naming_failures, open_source, parse_url, query_time
from agent.resources.datasets.duck import Duck
from agent.resources.datasets.from_duckdb import gather_natively
from agent.resources.datasets.gathering import BATCH, Gathering
from agent.resources.datasets.query import bound, check_query
from shared.errors import InvalidInput
from shared.models.dataset import SnapshotColumn

_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_STREAMED = {"stream_results": True, "max_row_buffer": BATCH}
_STEPS = 100_000
"""Of SQLite's machine, between two looks for a cancel."""
_POSTGRES_TYPES = {
    16: "BOOLEAN", 20: "BIGINT", 21: "BIGINT", 23: "BIGINT", 700: "DOUBLE", 701: "DOUBLE", 17: "BLOB",
    1082: "DATE", 1083: "TIME", 1114: "TIMESTAMP", 1184: "TIMESTAMP WITH TIME ZONE", 2950: "UUID",
}  # fmt: skip
_POSTGRES_NUMERIC = 1700
_TABLE_TYPES: tuple[tuple[type[sa.types.TypeEngine[Any]], str], ...] = (
    (sa.Boolean, "BOOLEAN"),
    (sa.Integer, "BIGINT"),
    (sa.Float, "DOUBLE"),
    (sa.LargeBinary, "BLOB"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A query with its parameters. `counted`: how many rows there are is asked first, for the progress."""

    query: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    counted: bool = True


def whole_table(grant: ConnectionGrant, table: str) -> Wanted:
    """Every row of the connection's table. DriverError(kind='unknown_table') names those that were meant."""
    found = look_up(grant, table)
    quote = parse_url(grant.url).get_dialect()().identifier_preparer.quote_identifier
    place = ".".join(quote(part) for part in (found.schema, found.name) if part)
    hints = {name: _table_hint(column.type) for name, column in found.columns.items()}
    return Wanted(f"SELECT * FROM {place}", hints=hints)


def gather(context: RunContext, bench: Duck, grant: ConnectionGrant, wanted: Wanted) -> list[SnapshotColumn]:
    """Bring all rows into the table `gathered`; its columns. DriverError, transient where the source may come back."""
    try:
        query = check_query(wanted.query, grant.kind)
    except InvalidInput as refusal:
        raise DriverError("query", refusal.faults[0].message) from None
    if grant.kind == "duckdb":
        with naming_failures(grant.name, grant.url):
            return gather_natively(context, bench, grant, query, wanted.parameters)
    engine = open_source(grant.url, grant.query_seconds)
    try:
        with (
            naming_failures(grant.name, grant.url),
            query_time(engine, grant.name),
            _reading(context, engine) as connection,
        ):
            return _gather(context, bench, connection, query, wanted)
    finally:
        engine.dispose()


def _gather(
    context: RunContext, bench: Duck, connection: Connection, query: str, wanted: Wanted
) -> list[SnapshotColumn]:
    statement, parameters = bound(query, wanted.parameters), dict(wanted.parameters)
    total = _count(connection, statement, parameters) if wanted.counted else None
    context.progress(0, total, unit="rows")
    with connection.execute(sa.text(statement), parameters, execution_options=_STREAMED) as result:
        gathering = Gathering(bench, list(result.keys()), _hints(result) or wanted.hints)
        while rows := result.fetchmany(BATCH):
            context.check_cancelled()
            gathering.add(rows)
            context.progress(gathering.rows, max(total, gathering.rows) if total is not None else None, unit="rows")
    for name in gathering.mixed:
        context.warn(f"column '{name}' holds values of several kinds: they are kept as text")
    return gathering.finish()


def _count(connection: Connection, statement: str, parameters: dict[str, Any]) -> int | None:
    """None where the source cannot count what it can select."""
    try:
        with connection.begin_nested():
            asked = sa.text(f"SELECT count(*) FROM ({statement}\n) AS counted")
            # Streamed as the rows are: PostgreSQL takes only one statement then, whatever the query closes and begins.
            return int(connection.execute(asked, parameters, execution_options=_STREAMED).scalar_one())
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
        return None


@contextmanager
def _reading(context: RunContext, engine: Engine) -> Iterator[Connection]:
    """A connection that the source itself keeps from writing; rows are fetched as they are needed."""
    kind = engine.dialect.name
    options: dict[str, Any] = {}
    if kind == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    elif kind in ("mysql", "mariadb"):
        options |= {"isolation_level": "REPEATABLE READ"}
    with engine.connect() as plain:
        connection = plain.execution_options(**options)
        if kind == "sqlite":
            _guard_sqlite(context, connection)
        elif kind == "postgresql":
            _keep_json_as_text(connection)
        elif kind in ("mysql", "mariadb"):
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        yield connection


def _guard_sqlite(context: RunContext, connection: Connection) -> None:
    raw = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)

    def judge(action: int, *_: object) -> int:
        allowed = action in _READING or action in (sqlite3.SQLITE_SAVEPOINT, sqlite3.SQLITE_TRANSACTION)
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    raw.set_authorizer(judge)
    raw.set_progress_handler(lambda: int(context.cancelled.is_set()), _STEPS)


def _keep_json_as_text(connection: Connection) -> None:
    """As it is written there: numbers of any length, keys in their order."""
    from psycopg.types.json import set_json_loads

    raw: Any = connection.connection.dbapi_connection
    set_json_loads(lambda text: text.decode() if isinstance(text, bytes) else text, raw)


def _hints(result: CursorResult[Any]) -> dict[str, str]:
    """What PostgreSQL says of its columns; it matters where all values are NULL, and for the scale of numbers."""
    found: dict[str, str] = {}
    described: Any = result.cursor.description if result.cursor else None
    for column in described or ():
        code = getattr(column, "type_code", None)
        precision, scale = getattr(column, "precision", None), getattr(column, "scale", None)
        if code == _POSTGRES_NUMERIC and precision and precision <= 38 and 0 <= (scale or 0) <= precision:
            found[column.name] = f"DECIMAL({precision},{scale or 0})"
        elif code in _POSTGRES_TYPES:
            found[column.name] = _POSTGRES_TYPES[code]
    return found


def _table_hint(type_: sa.types.TypeEngine[Any]) -> str:
    return next((name for class_, name in _TABLE_TYPES if isinstance(type_, class_)), "VARCHAR")
