"""Connections that read, each in a thread of its own: a question goes there once, and its answer comes back made.

The threads take questions from one queue, so whichever is free answers the next.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from agent.store.engine.engine import READERS, open_reader
from agent.store.engine.place import Place
from agent.store.engine.prepared import driver_of, rollback
from agent.store.engine.thread import Thread, Work, attempt, settle
from shared.errors import Unavailable

T = TypeVar("T")
Query = Callable[[sa.Connection], T]


class Readers:
    """At most `READERS` questions at a time; each sees one state of the store. Connections are opened as needed."""

    def __init__(self, path: Path, place: Place) -> None:
        self.engine = open_reader(path)
        self._place = place
        self._work: Work = queue.SimpleQueue()
        self._threads: list[Thread] = []
        self._of_thread = threading.local()
        self._connections: list[sa.Connection] = []
        self._under_way = 0
        self._all_answered = asyncio.Event()
        self._closed = False

    async def ask(self, query: Query[T]) -> T:
        """Who stops waiting leaves the question to its end."""
        if self._closed:
            raise Unavailable("the store is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        thread = self._thread()
        self._under_way += 1
        thread.run(lambda: attempt(lambda: self._answer(query)), lambda made: self._tell(future, *made))
        return await future

    async def close(self) -> None:
        """When the last question is answered."""
        self._closed = True
        if self._under_way:
            await self._all_answered.wait()
        for thread in self._threads:
            thread.stop()
        for connection in self._connections:
            connection.close()
        self.engine.dispose()

    def _thread(self) -> Thread:
        """Any will do: they have their work in common. One more while all are busy."""
        if self._under_way >= len(self._threads) and len(self._threads) < READERS:
            self._threads.append(Thread("jobdeck-store-reader", self._work))
        return self._threads[0]

    def _answer(self, query: Query[T]) -> T:
        connection = self._own_connection()
        # by the driver: SQLAlchemy takes longer for it than for a question by its key
        driver_of(connection).execute("BEGIN")
        try:
            return query(connection)
        finally:
            rollback(connection)

    def _own_connection(self) -> sa.Connection:
        connection: sa.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            self._place.check()  # what others put there is not the store
            connection = self._of_thread.connection = self.engine.connect()
            self._connections.append(connection)
        return connection

    def _tell(self, future: asyncio.Future[Any], result: object, error: Exception | None) -> None:
        self._under_way -= 1
        if self._closed and not self._under_way:
            self._all_answered.set()
        settle(future, result, error)
