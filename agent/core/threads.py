"""Threads for what may wait long: for a source that does not answer, for a process that does not end.

The loop's own few threads (`asyncio.to_thread`) are for what ends soon, as the ends of runs do: one that waits there holds up
whatever comes next. These are daemons: an agent that stops waits for none of them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from shared.errors import Unavailable

T = TypeVar("T")
MOST = 16
"""Looks at a time."""
PATIENCE = 20.0
"""Seconds that one more waits for its turn."""
_PLACES: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def look(work: Callable[..., T], *given: Any) -> T:
    """Do what asks something outside, in a thread of its own, with few others at a time. Unavailable if those do not end."""
    places = _PLACES.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(MOST))
    try:
        async with asyncio.timeout(PATIENCE):
            await places.acquire()
    except TimeoutError:
        raise Unavailable(f"{MOST} looks at sources that do not answer are under way; try again in a minute") from None
    return await _begin(work, given, places.release)


async def apart(work: Callable[..., T], *given: Any) -> T:
    """Do what is waited for however long it takes, in a thread of its own."""
    return await _begin(work, given, lambda: None)


def _begin(work: Callable[..., T], given: tuple[Any, ...], over: Callable[[], None]) -> asyncio.Future[T]:
    """`over` is called on the loop when the work has ended, whether or not somebody still waits for it."""
    loop, context = asyncio.get_running_loop(), copy_context()
    future: asyncio.Future[T] = loop.create_future()

    def live() -> None:
        try:
            result, error = context.run(work, *given), None
        except BaseException as raised:  # the thread's end is the caller's to hear of, whatever it is
            result, error = None, raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, future, result, error, over)

    try:
        threading.Thread(target=live, name="jobdeck-apart", daemon=True).start()
    except RuntimeError:  # the system gives no more threads
        over()
        raise
    return future


def _settle(future: asyncio.Future[Any], result: object, error: BaseException | None, over: Callable[[], None]) -> None:
    over()
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
