"""When there is no agent, or something else: a sentence that says who, where and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from console.client import AgentClient, Target
from console.client.refusals import refusal, trouble
from shared.errors import (
    Conflict,
    Forbidden,
    IllegalMove,
    InvalidInput,
    JobdeckError,
    TooMany,
    Unauthenticated,
    Unavailable,
)

SOMEWHERE = Target("there", "http://there:8470", token="secret-token")


async def test_no_socket(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"no agent runs here .*start one with `jobdeck agent`, or set JOBDECK_AGENT"):
        await _ask(Target("local", "http://localhost", tmp_path / "agent.sock"))


async def test_a_socket_that_nobody_listens_at(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    server = await asyncio.start_unix_server(lambda *_: None, path)
    server.close()
    path.exists() or path.touch()
    with pytest.raises(Unavailable, match=r"no agent listens at the socket|cannot be reached"):
        await _ask(Target("local", "http://localhost", path))


async def test_a_port_that_nobody_listens_at() -> None:
    async with _answering(b"") as url:
        pass
    with pytest.raises(Unavailable, match=rf"no agent listens at {url}"):
        await _ask(Target("there", url))


async def test_a_page_of_something_else() -> None:
    async with _answering(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>") as url:
        with pytest.raises(Unavailable, match=r"is not an agent of Jobdeck"):
            await _ask(Target("there", url))


async def test_a_redirect_is_told_and_not_followed() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n"
    async with _answering(answer) as url:
        with pytest.raises(Unavailable, match=r"redirects to https://elsewhere\.example/"):
            await _ask(Target("there", url, token="secret-token"))


async def test_an_answer_cut_short() -> None:
    async with _answering(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n{") as url:
        with pytest.raises(Unavailable, match=r"was cut"):
            await _ask(Target("there", url))


async def test_an_agent_that_does_not_answer() -> None:
    async with _answering(None) as url:
        with pytest.raises(Unavailable, match=r"does not answer in time"):
            await _ask(Target("there", url), patience=0.05)


async def test_who_asked_for_a_change_and_got_no_answer_is_told_to_look_first() -> None:
    """It may have been made. A question asked by POST changes nothing, and what never left was not done."""
    hint = "; look whether it was done before you do it again"
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n{"

    async def told(url: str, path: str) -> str:
        async with AgentClient(Target("there", url), timeout=5) as client:
            with pytest.raises(Unavailable) as found:
                await client.session.send("POST", path)
        return found.value.message

    async with _answering(cut) as url:
        assert (await told(url, "/runs/1/_cancel")).endswith(f"was cut; it may have been restarted{hint}")
        assert hint not in await told(url, "/knowledge-bases/kb/_search")
    assert hint not in await told(url, "/runs/1/_cancel"), "nobody listens any more"


def test_a_socket_of_somebody_else_is_forbidden() -> None:
    error = httpx.ConnectError("all attempts failed")
    error.__cause__ = PermissionError(13, "Permission denied")
    found = trouble(Target("local", "http://localhost", Path("/run/agent.sock")), error)
    assert isinstance(found, Forbidden)
    assert "/run/agent.sock" in found.message


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (409, b'{"error": {"code": "illegal_move", "message": "no"}}', IllegalMove, "no"),
        (409, b'{"error": {"code": "of-tomorrow", "message": "no"}}', Conflict, "no"),
        (418, b'{"error": {"code": "teapot", "message": "short and stout"}}', JobdeckError, "short and stout"),
        (413, b'{"error": {"code": "too_large", "message": "too large"}}', InvalidInput, "request: too large"),
        (502, b"<html>bad gateway</html>", Unavailable, "answered 502"),
        (500, b'{"error": {"code": "internal", "message": "request 7"}}', Unavailable, "request 7"),
        (404, b"", Unavailable, "not an agent of Jobdeck"),
        (400, b'{"error": {"code": "invalid_input", "faults": ["?"], "message": "bad"}}', InvalidInput, "request: bad"),
        (400, b'{"error": []}', Unavailable, "it answered 400"),
    ],
)
def test_every_answer_becomes_one_error(status: int, body: bytes, kind: type[JobdeckError], words: str) -> None:
    found = refusal(SOMEWHERE, httpx.Response(status, content=body))
    assert type(found) is kind
    assert words in found.message
    assert "secret-token" not in found.message


def test_who_has_no_token_is_told_how_to_get_one() -> None:
    body = b'{"error": {"code": "unauthenticated", "message": "no credentials: send a header"}}'
    target = Target("there", "https://jobs.example.org")
    found = refusal(target, httpx.Response(401, content=body))
    assert isinstance(found, Unauthenticated)
    assert "`jobdeck login https://jobs.example.org`" in found.message
    assert refusal(SOMEWHERE, httpx.Response(401, content=body)).message.startswith("no credentials")


def test_whose_token_opens_nothing_any_more_is_told_how_to_get_another() -> None:
    body = b'{"error": {"code": "unauthenticated", "message": "the token has expired at 2026-03-01T00:00:00Z"}}'
    found = refusal(SOMEWHERE, httpx.Response(401, content=body))
    assert (
        found.message == f"the token has expired at 2026-03-01T00:00:00Z; `jobdeck login {SOMEWHERE.url}` gets another"
    )
    wrong = b'{"error": {"code": "unauthenticated", "message": "wrong user or password"}}'
    assert refusal(SOMEWHERE, httpx.Response(401, content=wrong)).message == "wrong user or password"


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("-1", 0.0), ("soon", None), (None, None)])
def test_how_long_to_wait(header: str | None, seconds: float | None) -> None:
    headers = {"Retry-After": header} if header else {}
    body = b'{"error": {"code": "too_many", "message": "slow down"}}'
    found = refusal(SOMEWHERE, httpx.Response(429, content=body, headers=headers))
    assert isinstance(found, TooMany)
    assert found.retry_after == seconds


async def _ask(target: Target, patience: float = 5) -> None:
    async with AgentClient(target, timeout=patience) as client:
        await client.world.agent()


@asynccontextmanager
async def _answering(answer: bytes | None) -> AsyncIterator[str]:
    """A server that gives that answer to whoever asks, or with None keeps them waiting."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await done.wait()
        else:
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        done.set()
        server.close()
