"""Engines: one connection that writes, some that read.

SQLite differs from PostgreSQL in that there is one writer at a time to a file. Every writing transaction starts with
BEGIN IMMEDIATE, so that it waits (busy_timeout) before it has read anything, instead of failing at its first write.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

READERS = 4
BUSY_SECONDS = 30
_COMMON = (f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}", "PRAGMA foreign_keys = ON", "PRAGMA cache_size = -32768")
_WRITER = (*_COMMON, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA journal_size_limit = 67108864")
_READER = (*_COMMON, "PRAGMA query_only = ON")


def open_writer(path: Path) -> AsyncEngine:
    """The engine of the one connection that writes; WAL and a full fsync at each commit."""
    return _open(path, _WRITER, "BEGIN IMMEDIATE", size=1)


def open_readers(path: Path) -> AsyncEngine:
    """The engine of connections that cannot write; each transaction sees one state of the store."""
    return _open(path, _READER, "BEGIN", size=READERS)


def _open(path: Path, pragmas: tuple[str, ...], begin: str, size: int) -> AsyncEngine:
    url = sa.URL.create("sqlite+aiosqlite", database=str(path))
    # Parameters stay out of error messages: they may hold what people keep to themselves.
    engine = create_async_engine(url, pool_size=size, max_overflow=0, pool_timeout=BUSY_SECONDS, hide_parameters=True)

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
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", set_up)
    event.listen(engine.sync_engine, "begin", start)
    return engine


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text
