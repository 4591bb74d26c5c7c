"""Statements of the hot path: made and compiled once, executed by the driver itself.

SQLAlchemy says what they are and how values lie in their columns; what it does besides at each execution costs several
times what SQLite takes for the statement. For what every run, every request or every page asks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from agent.store.engine.engine import BEGIN_WRITING, CHECKPOINT_PAGES

Row = dict[str, Any]
_Processor = Callable[[Any], Any]
_KEYS = 256
"""Most values in one IN list."""


class Prepared:
    """One statement with named parameters."""

    def __init__(self, statement: sa.Executable, given: Iterable[str] | None = None) -> None:
        """`given`: the columns that an INSERT gets."""
        self._statement: Any = statement
        self._given = list(given) if given is not None else None
        self._compiled: _Compiled | None = None

    def rows(self, connection: sa.Connection, parameters: Mapping[str, Any]) -> list[Row]:
        compiled = self._compile(connection)
        return compiled.read(connection, compiled.bind(parameters))

    def each(self, connection: sa.Connection, parameters: Iterable[Mapping[str, Any]]) -> int:
        """Execute it for each; how many rows changed."""
        compiled = self._compile(connection)
        return compiled.write(connection, [compiled.bind(one) for one in parameters])

    def numbers(self, connection: sa.Connection, parameters: Sequence[Mapping[str, Any]]) -> range:
        """Execute an INSERT for each into a table whose key counts up; the numbers that the rows got, in their order.
        Counted by a single writer, they follow each other; RETURNING would take half as long again."""
        compiled = self._compile(connection)
        last = compiled.insert(connection, [compiled.bind(one) for one in parameters])
        return range(last - len(parameters) + 1, last + 1)

    def _compile(self, connection: sa.Connection) -> _Compiled:
        compiled, dialect = self._compiled, connection.dialect
        if compiled is None or (compiled.dialect is not dialect and compiled.dialect != dialect):
            compiled = self._compiled = _Compiled(self._statement, self._given, dialect)
        return compiled


class Lookup:
    """`query` narrowed to the rows whose `column` has one of some values."""

    def __init__(self, query: sa.Select[Any], column: sa.ColumnElement[Any]) -> None:
        self._query = query
        self._column = column
        self._by_size: dict[int, Prepared] = {}

    def rows(self, connection: sa.Connection, keys: Iterable[Any], **given: Any) -> list[Row]:
        """`given`: the query's own parameters."""
        wanted = list(keys)
        parts = (wanted[at : at + _KEYS] for at in range(0, len(wanted), _KEYS))
        return [row for part in parts for row in self._part(connection, part, given)]

    def _part(self, connection: sa.Connection, keys: Sequence[Any], given: Mapping[str, Any]) -> list[Row]:
        """The list is as long as the next power of two, the last key said again: few statements serve all lengths."""
        size = 1 << (len(keys) - 1).bit_length()
        prepared = self._by_size.get(size)
        if prepared is None:
            names = [sa.bindparam(f"key_{number}", type_=self._column.type) for number in range(size)]
            prepared = self._by_size[size] = Prepared(self._query.where(self._column.in_(names)))
        last = len(keys) - 1
        return prepared.rows(
            connection, {f"key_{number}": keys[min(number, last)] for number in range(size)} | dict(given)
        )


class _Compiled:
    def __init__(self, statement: Any, given: list[str] | None, dialect: sa.Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=given)
        self.dialect = dialect
        self._text = str(compiled)
        self._fixed = {name: _plain(value) for name, value in compiled.params.items() if value is not None}
        types = {name: bind.type for bind, name in compiled.bind_names.items()}
        self._pick = _picker(compiled.positiontup)
        self._to_columns = _by_place(_to_column(types[name], dialect) for name in compiled.positiontup)
        columns = compiled._result_columns
        self._names = [column.keyname for column in columns]
        self._from_columns = _by_place(_from_column(column.type, dialect) for column in columns)

    def bind(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        values = self._pick({**self._fixed, **given} if self._fixed else given)
        return tuple(_processed(values, self._to_columns)) if self._to_columns else values

    def read(self, connection: sa.Connection, values: tuple[Any, ...]) -> list[Row]:
        try:
            found = driver_of(connection).execute(self._text, values).fetchall()
        except self._errors() as error:
            raise told(connection, error, self._text) from error
        return [dict(zip(self._names, _processed(one, self._from_columns), strict=True)) for one in found]

    def write(self, connection: sa.Connection, values: list[tuple[Any, ...]]) -> int:
        return int(self._execute(connection, values).rowcount)

    def insert(self, connection: sa.Connection, values: list[tuple[Any, ...]]) -> int:
        """The number that the last row got."""
        done = self._execute(connection, values)
        if len(values) > 1:  # of many the driver does not say it
            done = driver_of(connection).execute("SELECT last_insert_rowid()")
            return int(done.fetchone()[0])
        return int(done.lastrowid)

    def _execute(self, connection: sa.Connection, values: list[tuple[Any, ...]]) -> Any:
        driver = driver_of(connection)
        try:
            # one alone is executed as one: `executemany` prepares for many
            return driver.execute(self._text, values[0]) if len(values) == 1 else driver.executemany(self._text, values)
        except self._errors() as error:
            raise told(connection, error, self._text) from error

    def _errors(self) -> type[Exception]:
        assert self.dialect.dbapi is not None
        return self.dialect.dbapi.Error


def begin(connection: sa.Connection) -> None:
    """Start a transaction as the engine would; what SQLAlchemy executes within is part of it."""
    _execute(connection, BEGIN_WRITING)


def commit(connection: sa.Connection) -> None:
    if connection.in_transaction():  # something was executed by SQLAlchemy, which has its own notes of it
        connection.commit()
    else:
        _execute(connection, "COMMIT")


def rollback(connection: sa.Connection) -> None:
    connection.rollback()
    driver_of(connection).rollback()


@contextmanager
def checkpoint_later(connection: sa.Connection) -> Iterator[None]:
    """What is committed within is on the disk, but not moved into the main file yet: a later commit does that."""
    _execute(connection, "PRAGMA wal_autocheckpoint = 0")
    try:
        yield
    finally:
        with suppress(DBAPIError):  # a connection that cannot do even this is not used again
            _execute(connection, f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")


def driver_of(connection: sa.Connection) -> Any:
    return connection.connection.dbapi_connection


def told(connection: sa.Connection, error: Exception, text: str) -> BaseException:
    """An error of the driver as SQLAlchemy tells it: without the values, which may be what people keep to themselves."""
    dialect = connection.dialect
    assert dialect.dbapi is not None
    return DBAPIError.instance(text, None, error, dialect.dbapi.Error, hide_parameters=True, dialect=dialect)


def _execute(connection: sa.Connection, text: str) -> None:
    try:
        driver_of(connection).execute(text)
    except sqlite3.Error as error:
        raise told(connection, error, text) from error


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Of a mapping the values with these names, in this order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda given: tuple([given[name] for name in names])


def _plain(value: Any) -> Any:
    """The driver asks of every value that is not of a type of its own whether something adapts it."""
    return str(value) if isinstance(value, StrEnum) else value


def _by_place(processors: Iterable[_Processor | None]) -> list[tuple[int, _Processor]]:
    return [(place, process) for place, process in enumerate(processors) if process is not None]


def _processed(values: Sequence[Any], processors: Sequence[tuple[int, _Processor]]) -> list[Any]:
    """None stays what it is."""
    made = list(values)
    for place, process in processors:
        if (value := made[place]) is not None:
            made[place] = process(value)
    return made


def _to_column(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> _Processor | None:
    """Of our own types what they do, not what SQLAlchemy has around it."""
    own: _Processor | None = getattr(type_, "to_column", None)
    return own or type_.dialect_impl(dialect).bind_processor(dialect)


def _from_column(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> _Processor | None:
    if hasattr(type_, "to_column"):
        return getattr(type_, "from_column", None)
    return type_.dialect_impl(dialect).result_processor(dialect, None)
