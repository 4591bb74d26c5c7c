"""Answers that stay open or take their time: how they breathe, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from agent.api.auth import let_in
from agent.api.context import api_of
from agent.api.guard import is_head
from agent.core.permissions.callers import Caller

T = TypeVar("T")

HEARTBEAT = 15
"""Seconds between comments on a silent stream; proxies cut what is silent for a minute."""
_ASK_AGAIN = 30.0
"""Seconds after which a stream is asked whether it may go on, though nobody has changed who there is."""


def stream_answer(
    request: Request, frames: AsyncIterator[bytes], may_hear: Callable[[Caller], Awaitable[bool]]
) -> Response:
    """The frames as server-sent events, as long as the request would be let in, by a caller that `may_hear` them then. A
    client that takes nothing for a minute is let go."""
    if is_head(request.scope):
        return Response(media_type="text/event-stream")
    return EventSourceResponse(
        _while_let_in(request, frames, may_hear),
        ping=HEARTBEAT,
        ping_message_factory=lambda: ServerSentEvent(comment="still here", sep="\n"),
        sep="\n",
        send_timeout=60,
    )


async def _while_let_in(
    request: Request, frames: AsyncIterator[bytes], may_hear: Callable[[Caller], Awaitable[bool]]
) -> AsyncIterator[bytes]:
    """No frame goes out after what the request came with was revoked or disabled, or what it hears was taken from its
    caller; what expires goes on for half a minute at most."""
    api = api_of(request)
    changes, asked_at = api.broadcast.access_changes, api.core.clock.monotonic()
    nudged = _nudged(frames, api.broadcast.access_change)
    try:
        async for frame in nudged:
            now = api.core.clock.monotonic()
            if changes != api.broadcast.access_changes or now - asked_at >= _ASK_AGAIN:
                changes, asked_at = api.broadcast.access_changes, now
                caller = await let_in(request)
                if caller is None or not await may_hear(caller):
                    return
            if frame:
                yield frame
    finally:
        await nudged.aclose()
        if hasattr(frames, "aclose"):
            await frames.aclose()


async def _nudged(frames: AsyncIterator[bytes], change: Callable[[], Awaitable[None]]) -> AsyncGenerator[bytes]:
    """The frames, and an empty one after each change: who has nothing to say is asked whether it may go on, too."""
    waiting, changing = asyncio.ensure_future(anext(frames)), asyncio.ensure_future(change())
    try:
        while True:
            await asyncio.wait({waiting, changing}, return_when=asyncio.FIRST_COMPLETED)
            if changing.done():
                changing = asyncio.ensure_future(change())
                yield b""
            if waiting.done():
                try:
                    yield waiting.result()
                except StopAsyncIteration:
                    return
                waiting = asyncio.ensure_future(anext(frames))
    finally:
        for task in (waiting, changing):
            task.cancel()
        await asyncio.wait({waiting, changing})


async def until_closing(items: AsyncIterator[T], closing: asyncio.Event) -> AsyncIterator[T]:
    """The items, until there are no more or the agent stops."""
    ending = asyncio.ensure_future(closing.wait())
    waiting: asyncio.Future[T] | None = None
    try:
        while not closing.is_set():
            waiting = asyncio.ensure_future(anext(items))
            await asyncio.wait({waiting, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                return
            try:
                yield waiting.result()
            except StopAsyncIteration:
                return
    finally:
        ending.cancel()
        if waiting is not None and not waiting.done():
            waiting.cancel()
            await asyncio.wait({waiting})
        if hasattr(items, "aclose"):
            await items.aclose()


async def unless_dropped(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work gives; None if it was cancelled because the client went away before. For requests without a body."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_dropped(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        leaving.cancel()
        working.cancel()


async def _dropped(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
