"""Engines: one connection that writes, some that read.

SQLite differs from PostgreSQL in that there is one writer at a time to a file. Every writing transaction starts with
BEGIN IMMEDIATE, so that it waits (busy_timeout) before it has read anything, instead of failing at its first write.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

READERS = 4
BUSY_SECONDS = 30
CHECKPOINT_PAGES = 4000
"""Pages in the log at which it is moved into the main file. The pages that every run writes are the same ones: of four
times as many, hardly more go over."""
PAGE = 4096
"""Bytes; SQLite's own measure."""
CACHE = "PRAGMA cache_size = -32768"
_COMMON = (f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}", "PRAGMA foreign_keys = ON", CACHE)
# auto_vacuum holds from the first table on, and costs nothing that could be measured.
_WRITER = (
    *_COMMON,
    "PRAGMA auto_vacuum = INCREMENTAL",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA journal_size_limit = 67108864",
    f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}",
)
BEGIN_WRITING = "BEGIN IMMEDIATE"
_STATEMENTS = 1000
"""Kept compiled; what is not asked for makes room."""
_READER = (*_COMMON, "PRAGMA query_only = ON")


class _Dialect(SQLiteDialect_pysqlite):
    """The library's own, alike in every engine: a statement is compiled once in a process, whoever executes it."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is _Dialect

    def __hash__(self) -> int:
        return hash(_Dialect)


registry.register("sqlite.jobdeck", __name__, _Dialect.__name__)
_compiled: LRUCache[Any, Any] = LRUCache(_STATEMENTS)


def open_writer(path: Path) -> sa.Engine:
    """The engine of the one connection that writes; WAL and a full fsync at each commit."""
    engine = sa.create_engine(_url(path), **_pool(1))
    _set_up(engine, _WRITER, BEGIN_WRITING)
    return engine


def open_reader(path: Path) -> sa.Engine:
    """The engine of connections that cannot write; each transaction sees one state of the store."""
    engine = sa.create_engine(_url(path), **_pool(READERS))
    _set_up(engine, _READER, "BEGIN")
    return engine


def _url(path: Path) -> sa.URL:
    return sa.URL.create("sqlite+jobdeck", database=str(path))


def _pool(size: int) -> dict[str, Any]:
    # Parameters stay out of error messages: they may hold what people keep to themselves.
    pool = {"pool_size": size, "max_overflow": 0, "pool_timeout": BUSY_SECONDS, "hide_parameters": True}
    return {**pool, "execution_options": {"compiled_cache": _compiled}}


def _set_up(engine: sa.Engine, pragmas: tuple[str, ...], begin: str) -> None:
    def set_up(connection: Any, _record: object) -> None:
        # None: the driver opens no transactions of its own; ours begin below.
        connection.isolation_level = None
        # SQLite's own lower() knows ASCII only; PostgreSQL's knows the language, as Python's does.
        connection.create_function("lower", 1, _lower, deterministic=True)
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    def start(connection: sa.Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        if not driver.in_transaction:  # readers and the writer begin by themselves, see `prepared.begin`
            connection.exec_driver_sql(begin)

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", start)


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text
