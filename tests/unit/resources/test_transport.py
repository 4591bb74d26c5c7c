"""Where requests go, and under which name."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop

from agent.resources.http.transport import GuardedTransport, guarded_client
from tests.harness.certificates import certificate

_ALLOWED = ["127.0.0.2/31"]


@dataclass
class Server:
    port: int = 0
    hosts: list[str] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """Of each connection, as TLS had it."""
    connections: int = 0


@asynccontextmanager
async def _server(tls: ssl.SSLContext | None = None, address: str = "127.0.0.2") -> AsyncIterator[Server]:
    known = Server()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        known.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                known.hosts += [line[6:] for line in head.split("\r\n") if line.lower().startswith("host: ")]
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()

    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: known.names.append(name)
    listening = await asyncio.start_server(answer, address, 0, ssl=tls)
    known.port = listening.sockets[0].getsockname()[1]
    try:
        yield known
    finally:
        listening.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Addresses of names, as a name server would tell them."""
    told: dict[str, list[str]] = {}

    async def resolve(_loop: Any, host: str, port: int, *, type: int) -> Any:  # noqa: A002 (as loops have it)
        return [found for address in told[host] for found in socket.getaddrinfo(address, port, type=type)]

    monkeypatch.setattr(uvloop.Loop, "getaddrinfo", resolve)
    return told


async def test_tls_is_spoken_with_the_name_and_not_with_its_address(
    tmp_path: Path, names: dict[str, list[str]]
) -> None:
    tls, authority = certificate(tmp_path, "shop.test")
    trusts = ssl.create_default_context(cafile=str(authority))
    names |= {"shop.test": ["127.0.0.2"], "other.test": ["127.0.0.2"]}
    async with _server(tls) as server, guarded_client(_ALLOWED, verify=trusts, timeout=10) as client:
        answer = await client.get(f"https://shop.test:{server.port}/")
        assert (answer.text, answer.url.host) == ("ok", "shop.test")
        assert server.hosts == [f"shop.test:{server.port}"]
        with pytest.raises(httpx.ConnectError, match=r"other\.test"):
            await client.get(f"https://other.test:{server.port}/")
        assert server.names == ["shop.test", "other.test"], "the connection of one name is not the other's"


async def test_a_connection_is_kept_for_its_name(names: dict[str, list[str]]) -> None:
    names |= {"one.test": ["127.0.0.2"], "two.test": ["127.0.0.2"]}
    async with _server() as server, guarded_client(_ALLOWED, timeout=10) as client:
        for host in ("one.test", "one.test", "two.test"):
            await client.get(f"http://{host}:{server.port}/")
        assert (len(server.hosts), server.connections) == (3, 2)


async def test_what_does_not_answer_is_followed_by_the_next_address(names: dict[str, list[str]]) -> None:
    names |= {"shop.test": ["127.0.0.1", "127.0.0.3", "127.0.0.2"]}
    async with _server() as server, guarded_client(_ALLOWED, timeout=10) as client:
        answer = await client.post(f"http://shop.test:{server.port}/", content=b"")
        assert answer.text == "ok"
        assert server.connections == 1


@pytest.mark.parametrize("host", ["127.0.0.2", "[::1]"])
async def test_an_address_is_its_own_name(host: str) -> None:
    address = host.strip("[]")
    async with _server(address=address) as server, guarded_client([f"{address}"], timeout=10) as client:
        answer = await client.get(f"http://{host}:{server.port}/")
        assert answer.text == "ok"
        assert server.hosts == [f"{host}:{server.port}"]


@pytest.mark.parametrize("host", ["nobody.invalid", "a" * 64 + ".test"])
async def test_a_name_without_an_address_is_said(host: str) -> None:
    async with guarded_client(_ALLOWED, timeout=10) as client:
        with pytest.raises(httpx.ConnectError, match=host):
            await client.get(f"http://{host}/")


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would resolve names, and connect, beyond the guard."""
    async with _server() as server, _server() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.2:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.2:{proxy.port}")
        async with guarded_client(_ALLOWED, timeout=10) as client:
            await client.get(f"http://127.0.0.2:{server.port}/")
        assert (server.connections, proxy.connections) == (1, 0)


async def test_what_was_opened_is_closed() -> None:
    transport = GuardedTransport(_ALLOWED, verify=False)
    async with _server() as server, httpx.AsyncClient(transport=transport) as client:
        await client.get(f"http://127.0.0.2:{server.port}/")
    with pytest.raises(RuntimeError, match="closed"):
        await client.get(f"http://127.0.0.2:{server.port}/")
