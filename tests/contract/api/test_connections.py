"""Connections of strangers: they must not keep others out, nor speak in two ways at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from agent.api import connections
from agent.api.connections import BODY_SECONDS, HEAD_SECONDS, cut_late
from tests.harness.agent import RunningAgent
from tests.harness.telling import PATIENCE

HEAD = b"Host: localhost\r\n"


class Peer:
    """A connection as bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, *lines: bytes) -> None:
        self._writer.write(b"\r\n".join(lines))
        await self._writer.drain()

    async def hear(self) -> bytes:
        """The head of an answer, with its body where it says how long that is."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        sizes = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return head + (await self._reader.readexactly(int(sizes[0])) if sizes else b"")

    async def rest(self) -> bytes:
        """What comes until the other side has ended it."""
        try:
            return await asyncio.wait_for(self._reader.read(), PATIENCE)
        except ConnectionError:
            return b""


@asynccontextmanager
async def calling(agent: RunningAgent) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", agent.port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()


def held(agent: RunningAgent) -> list[Any]:
    """The server's own side of all connections by TCP."""
    assert agent.agent.listener is not None
    return [each for server in agent.agent.listener._servers for each in server.server_state.connections if each.client]


async def test_a_length_that_is_told_twice_is_refused_and_nothing_hides_behind_it(agent: RunningAgent) -> None:
    hidden = b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n"
    lengths = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    async with calling(agent) as peer:
        await peer.say(b"POST /v1/list-jobs HTTP/1.1", HEAD + lengths + hidden)
        said = await peer.rest()
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1


async def test_a_host_may_stand_in_the_url_or_with_an_old_client_nowhere(agent: RunningAgent) -> None:
    own, evil = b"http://localhost/healthz", b"HTTP://evil.example/healthz"
    told = [
        (b"GET " + own + b" HTTP/1.1", b"Host: evil.example", b"200"),
        (b"GET " + evil + b" HTTP/1.1", b"Host: localhost", b"421"),
        (b"GET http:///healthz HTTP/1.1", b"Host: localhost", b"421"),
        (b"GET /healthz HTTP/1.0", b"Accept: */*", b"200"),
        (b"GET /healthz HTTP/1.0", b"Host: evil.example", b"421"),
        (b"GET /healthz HTTP/1.0", b"Origin: http://evil.example", b"403"),
        (b"POST http://localhost/jobs/create HTTP/1.0", b"Accept: */*", b"401"),
        (b"GET /healthz HTTP/1.1", b"Accept: */*", b"400"),
    ]
    for line, header, status in told:
        async with calling(agent) as peer:
            await peer.say(line, header, b"", b"")
            assert (await peer.hear()).split()[1] == status, line


class Overheard:
    """A transport, and each piece that was written to it."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.pieces.append(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def test_an_answer_leaves_in_one_piece(agent: RunningAgent) -> None:
    async with calling(agent) as peer:
        await peer.say(b"GET /healthz HTTP/1.1", HEAD, b"")
        await peer.hear()
        [mine] = held(agent)
        mine._outgoing._transport = overheard = Overheard(mine._outgoing._transport)
        await peer.say(b"GET /healthz HTTP/1.1", HEAD, b"")
        said = await peer.hear()
    assert said.startswith(b"HTTP/1.1 200 ")
    assert overheard.pieces == [said]


async def test_those_who_rest_make_room(agent: RunningAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle connections without end: whoever has something to say is heard, and a stream goes on."""
    monkeypatch.setattr(connections, "most_connections", lambda: 20)
    token = await agent.token("read")
    async with AsyncExitStack() as stack:
        stream = await stack.enter_async_context(calling(agent))
        await stream.say(b"GET /api/events HTTP/1.1", HEAD + b"x-api-key: " + token.encode(), b"", b"")
        assert b"200 OK" in await stream.hear()
        idle = [await stack.enter_async_context(calling(agent)) for _ in range(100)]
        late = await stack.enter_async_context(calling(agent))
        await late.say(b"GET /healthz HTTP/1.1", HEAD, b"")
        assert b"200 OK" in await late.hear()
        assert len(held(agent)) <= 20
        assert await idle[0].rest() == b""
        assert any(not each.rests for each in held(agent))


async def test_who_owes_the_rest_of_a_request_is_cut(agent: RunningAgent) -> None:
    token = (await agent.token("read")).encode()
    async with AsyncExitStack() as stack:
        names = ("silent", "half", "body", "stream", "done")
        peers = {name: await stack.enter_async_context(calling(agent)) for name in names}
        await peers["half"].say(b"GET /healthz HTTP/1.1", b"Host: lo")
        body = HEAD + b"x-api-key: " + token + b"\r\nContent-Length: 20\r\nExpect: 100-continue"
        await peers["body"].say(b"POST /v1/list-jobs HTTP/1.1", body, b"", b"")
        assert b"100 Continue" in await peers["body"].hear()
        await peers["stream"].say(b"GET /api/events HTTP/1.1", HEAD + b"x-api-key: " + token, b"", b"")
        await peers["stream"].hear()
        await peers["done"].say(b"GET /healthz HTTP/1.1", HEAD, b"")
        await peers["done"].hear()
        now = asyncio.get_running_loop().time()
        cut_late(held(agent), now + HEAD_SECONDS - 1)
        assert len(held(agent)) == 5
        cut_late(held(agent), now + HEAD_SECONDS + 1)
        assert (await peers["silent"].rest(), await peers["half"].rest()) == (b"", b"")
        assert len(held(agent)) == 3
        cut_late(held(agent), now + BODY_SECONDS + 1)
        assert await peers["body"].rest() == b""
        await peers["done"].say(b"GET /healthz HTTP/1.1", HEAD, b"")
        assert b"200 OK" in await peers["done"].hear()
        assert len(held(agent)) == 2


async def test_what_would_be_too_large_is_not_waited_for(agent: RunningAgent) -> None:
    token = (await agent.token("read")).encode()
    async with calling(agent) as peer:
        size = b"Content-Length: 10000000000\r\nExpect: 100-continue"
        await peer.say(b"POST /v1/list-jobs HTTP/1.1", HEAD + b"x-api-key: " + token + b"\r\n" + size, b"", b"")
        assert b"413 " in await peer.hear()


async def test_nonsense_behind_an_answer_ends_it_without_a_word(
    agent: RunningAgent, caplog: pytest.LogCaptureFixture
) -> None:
    async with calling(agent) as peer:
        await peer.say(b"POST /v1/list-jobs HTTP/1.1", HEAD + b"Transfer-Encoding: chunked", b"", b"")
        assert b"401 " in await peer.hear()
        await peer.say(b"this is no chunk", b"")
        await peer.rest()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
