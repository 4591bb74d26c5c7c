"""Connections that read. A question goes to a connection's own thread once, and its answer comes back made.

aiosqlite goes to that thread for each statement and each row's worth of rows: seven visits for a page of runs, and on
a busy machine each of them waits for its turn.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite
import sqlalchemy as sa

from agent.store.engine import READERS, engine_of_readers
from shared.errors import Unavailable

T = TypeVar("T")
Query = Callable[[sa.Connection], T]


class Readers:
    """At most `READERS` questions at a time; each sees one state of the store. Connections are opened as needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places = asyncio.Semaphore(READERS)
        self._idle: list[aiosqlite.Connection] = []
        self._of_thread = threading.local()
        self._closed = False
        self.sync_engine = engine_of_readers(self._own_connection)

    async def ask(self, query: Query[T]) -> T:
        """Who stops waiting leaves the question to its end: its connection is nobody's until then."""
        if self._closed:
            raise Unavailable("the store is closed")
        await self._places.acquire()
        asked = asyncio.ensure_future(self._ask(query))
        asked.add_done_callback(self._leave)
        return await asyncio.shield(asked)

    async def close(self) -> None:
        """When the last question is answered."""
        self._closed = True
        for _ in range(READERS):
            await self._places.acquire()
        for reader in self._idle:
            await reader.close()
        self._idle.clear()

    async def _ask(self, query: Query[T]) -> T:
        reader = self._idle.pop() if self._idle else await self._open()
        try:
            return cast("T", await _in_its_thread(reader, lambda: self._answer(query)))
        finally:
            self._idle.append(reader)

    async def _open(self) -> aiosqlite.Connection:
        reader = aiosqlite.connect(self._path)
        reader._thread.daemon = True  # a program that ends without closing its store must end all the same
        await reader
        await _in_its_thread(reader, lambda: setattr(self._of_thread, "connection", reader._conn))
        return reader

    def _answer(self, query: Query[T]) -> T:
        with self.sync_engine.connect() as connection:
            return query(connection)

    def _own_connection(self) -> sqlite3.Connection:
        return cast("sqlite3.Connection", self._of_thread.connection)

    def _leave(self, asked: asyncio.Future[Any]) -> None:
        self._places.release()
        if not asked.cancelled():
            asked.exception()  # who asked has it; if nobody waits any more, nobody needs to be told


async def _in_its_thread(reader: aiosqlite.Connection, work: Callable[[], Any]) -> Any:
    # aiosqlite has no public name for it; a test of the store fails should it go.
    return await reader._execute(work)  # type: ignore[no-untyped-call]
