from __future__ import annotations

import asyncio

import pytest

from agent.store.engine.thread import Thread


async def test_what_is_given_is_done_in_order_and_told_on_the_loop() -> None:
    told: list[int] = []
    thread, over = Thread("test"), asyncio.Event()
    for number in range(100):
        thread.run(lambda number=number: number, told.append)  # type: ignore[misc]
    thread.run(lambda: None, lambda _: over.set())
    await over.wait()
    thread.stop()
    assert told == list(range(100))


async def test_what_it_raises_is_raised_and_it_goes_on() -> None:
    thread = Thread("test")
    with pytest.raises(ZeroDivisionError):
        await thread.call(lambda: 1 / 0)
    assert await thread.call(lambda: 1) == 1
    thread.stop()


async def test_who_no_longer_waits_disturbs_nobody() -> None:
    thread = Thread("test")
    asked = asyncio.ensure_future(thread.call(lambda: 1))
    await asyncio.sleep(0)
    asked.cancel()
    assert await thread.call(lambda: 2) == 2
    assert asked.cancelled()
    thread.stop()
