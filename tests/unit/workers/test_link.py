"""What a worker says is gathered while it begins many runs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from agent.workers.link import Link
from agent.workers.rush import Rush

LONG = 60.0


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Link, socket.socket]]:
    ours, theirs = socket.socketpair()
    link = await Link.open(ours)
    with theirs:
        yield link, theirs
    link.close()


async def _idle() -> None:
    for _ in range(20):
        await asyncio.sleep(0.001)


async def test_lines_are_handed_out_when_gathering_ends(ends: tuple[Link, socket.socket]) -> None:
    link, theirs = ends
    first = asyncio.ensure_future(anext(link))
    await asyncio.sleep(0)
    enough = asyncio.Event()
    link.gather(3, LONG, enough.set)
    theirs.sendall(b"a\nb\n")
    await _idle()
    assert not enough.is_set()
    theirs.sendall(b"c\n")
    await enough.wait()
    await _idle()
    assert not first.done(), "others are to be waited for too"
    link.end_gathering()
    assert [await first, await anext(link), await anext(link)] == [b"a", b"b", b"c"]
    theirs.sendall(b"d\n")
    assert await anext(link) == b"d", "nothing is gathered any more"


async def test_who_begin_a_crowd_together_are_heard_when_all_are_through(ends: tuple[Link, socket.socket]) -> None:
    link, theirs = ends
    ours, also_theirs = socket.socketpair()
    other, rush = await Link.open(ours), Rush()
    with also_theirs:
        for each in (link, other):
            rush.add(each, 250)
        first = asyncio.ensure_future(anext(link))
        theirs.sendall(b"a\n" * 250)
        await asyncio.sleep(0)
        assert not first.done()
        also_theirs.sendall(b"b\n" * 250)
        assert (await first, await anext(other)) == (b"a", b"b")
    other.close()


async def test_one_that_is_gone_is_not_waited_for(ends: tuple[Link, socket.socket]) -> None:
    link, theirs = ends
    ours, gone = socket.socketpair()
    other, rush = await Link.open(ours), Rush()
    gone.close()
    rush.add(link, 1)
    rush.add(other, 1)
    theirs.sendall(b"a\n")
    assert await anext(link) == b"a"
    assert [line async for line in other] == []


async def test_or_when_it_has_taken_long_enough(ends: tuple[Link, socket.socket]) -> None:
    link, theirs = ends
    theirs.sendall(b"a\n")
    link.gather(3, 0.005, lambda: None)
    assert await anext(link) == b"a"
    theirs.sendall(b"b\n")
    assert await anext(link) == b"b"


async def test_or_when_somebody_cannot_wait(ends: tuple[Link, socket.socket]) -> None:
    link, theirs = ends
    link.gather(3, LONG, lambda: None)
    theirs.sendall(b"a\n")
    await _idle()
    link.end_gathering()
    assert await anext(link) == b"a"


async def test_of_a_worker_that_died_all_that_it_said_is_heard(ends: tuple[Link, socket.socket]) -> None:
    link, theirs = ends
    link.gather(3, LONG, lambda: None)
    theirs.sendall(b"a\nb\n")
    theirs.close()
    link.drain()
    assert [line async for line in link] == [b"a", b"b"]
    link.gather(3, LONG, lambda: None)
    assert [line async for line in link] == []


async def test_one_that_closes_its_end_is_heard_out(ends: tuple[Link, socket.socket]) -> None:
    link, theirs = ends
    link.gather(3, LONG, lambda: None)
    theirs.sendall(b"a\n")
    theirs.close()
    assert [line async for line in link] == [b"a"]


async def test_who_says_too_much_is_heard_at_once(ends: tuple[Link, socket.socket]) -> None:
    link, theirs = ends
    link.gather(100, LONG, lambda: None)
    text = b"x" * (700 * 1024)
    sending = asyncio.ensure_future(asyncio.to_thread(theirs.sendall, b"".join([text, b"\n", text, b"\n"])))
    assert await anext(link) == text
    assert await anext(link) == text
    await sending
