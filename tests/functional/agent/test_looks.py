"""Sources that never answer, looked at all at once: they hold up each other, and nothing else."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator

import pytest

from agent.core import threads
from agent.core.driving import DriverError
from agent.core.threads import look
from agent.resources.connections import probe
from shared.errors import Unavailable

SOON = 3.0
"""Seconds, and less than a source is waited for."""


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield f"postgresql://shop@127.0.0.1:{listener.getsockname()[1]}/orders"


async def test_what_is_done_in_threads_goes_on_while_sources_do_not_answer(silent: str) -> None:
    looks = [asyncio.create_task(probe.test_source("shop", silent)) for _ in range(threads.MOST * 2)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "done"), SOON) == "done"
    for each in looks:
        each.cancel()
    await asyncio.gather(*looks, return_exceptions=True)


async def test_one_look_more_is_refused_and_goes_when_another_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "PATIENCE", 0.05)
    answered = threading.Event()
    waiting = [asyncio.create_task(look(answered.wait)) for _ in range(threads.MOST)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="do not answer"):
        await look(str, 1)
    waiting[0].cancel()  # whoever asked has gone, the source has not answered: its place stays taken
    with pytest.raises(Unavailable, match="do not answer"):
        await look(str, 1)
    answered.set()
    assert await asyncio.gather(*waiting[1:]) == [True] * (threads.MOST - 1)
    assert await look(str, 1) == "1"


async def test_what_a_look_raises_is_raised() -> None:
    def refuse() -> None:
        raise DriverError("source_refused", "no")

    with pytest.raises(DriverError, match="no"):
        await look(refuse)
