"""Work for a client that goes away is stopped."""

from __future__ import annotations

import asyncio

from fastapi import Request
from starlette.types import Message

from agent.api.streams import unless_dropped
from tests.harness.telling import PATIENCE


def _request(gone: asyncio.Event) -> Request:
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "GET", "path": "/", "headers": []}, receive)


async def test_it_is_stopped() -> None:
    gone, stopped = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        gone.set()
        try:
            return await asyncio.Future()
        finally:
            stopped.set()

    assert await asyncio.wait_for(unless_dropped(_request(gone), work()), PATIENCE) is None
    await asyncio.wait_for(stopped.wait(), PATIENCE)


async def test_who_stays_gets_what_was_worked_for() -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        return "found"

    assert await asyncio.wait_for(unless_dropped(_request(asyncio.Event()), work()), PATIENCE) == "found"
