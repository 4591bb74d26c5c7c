"""A thread of the store's own. What it is given it does in order; the loop hears of each by one call."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Work = queue.SimpleQueue[Callable[[], None] | None]


class Thread:
    """Made for hand-overs that every run pays: an executor's future beside the loop's own costs twice as much."""

    def __init__(self, name: str, work: Work | None = None) -> None:
        """`work`: one for several threads, of which the first that is free takes what comes next."""
        self._work = queue.SimpleQueue() if work is None else work
        # daemon: a program that ends without closing its store must end all the same
        threading.Thread(target=self._live, name=name, daemon=True).start()

    def run(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do `work`, which must not raise, and call `then` with its result on the loop."""
        loop = asyncio.get_running_loop()
        self._work.put(lambda: _hand_over(loop, then, work()))

    async def call(self, work: Callable[[], T]) -> T:
        """Do `work` and wait for it; what it raises is raised."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.run(lambda: attempt(work), lambda made: settle(future, *made))
        return await future

    def stop(self) -> None:
        self._work.put(None)

    def _live(self) -> None:
        while (work := self._work.get()) is not None:
            work()


def _hand_over(loop: asyncio.AbstractEventLoop, then: Callable[[T], None], result: T) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(then, result)


def attempt(work: Callable[[], T]) -> tuple[T | None, Exception | None]:
    """What it made, or what it raised."""
    try:
        return work(), None
    except Exception as error:
        return None, error


def settle(future: asyncio.Future[Any], result: object, error: Exception | None) -> None:
    """Unless whoever waited has gone."""
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
