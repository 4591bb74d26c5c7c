"""Listening and letting go."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from agent.api.serving import Listener, serve
from agent.settings import Settings
from shared.errors import Conflict, InvalidInput, Unavailable
from tests.harness.agent import RunningAgent, running_agent
from tests.harness.telling import PATIENCE


async def serve_again(agent: RunningAgent, folder: Path, **changed: object) -> Listener:
    given = {"bind": "127.0.0.1:0"} | changed
    return await serve(agent.agent.api, Settings(data_dir=folder, **given), folder / "run" / "agent.sock")


async def test_port_0_takes_a_free_one_and_says_which(agent: RunningAgent) -> None:
    assert agent.port > 0
    async with agent.tcp() as client:
        assert (await client.get(f"http://127.0.0.1:{agent.port}/healthz")).status_code == 200


async def test_the_socket_is_its_owners_alone(agent: RunningAgent) -> None:
    assert stat.S_IMODE(agent.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(agent.socket.parent.stat().st_mode) == 0o700


async def test_by_setting_the_group_may_use_the_socket(tmp_path: Path) -> None:
    async with running_agent(tmp_path / "d", socket_group_access=True) as agent:
        assert stat.S_IMODE(agent.socket.stat().st_mode) == 0o660
        assert stat.S_IMODE(agent.socket.parent.stat().st_mode) == 0o750


async def test_a_port_in_use_is_said_so(agent: RunningAgent, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=f"127.0.0.1:{agent.port} is in use"):
        await serve_again(agent, tmp_path / "e", bind=f"127.0.0.1:{agent.port}")


async def test_an_address_of_another_machine_is_said_so(agent: RunningAgent, tmp_path: Path) -> None:
    with pytest.raises((Unavailable, InvalidInput)):
        await serve_again(agent, tmp_path / "e", bind="192.0.2.1:0")


async def test_a_socket_that_answers_is_left_alone(agent: RunningAgent) -> None:
    with pytest.raises(Conflict, match="already"):
        await serve_again(agent, agent.socket.parent.parent)
    async with agent.local() as client:
        assert (await client.get("/api/me")).status_code == 200


async def test_a_stale_socket_is_replaced(agent: RunningAgent, tmp_path: Path) -> None:
    folder = tmp_path / "e" / "run"
    folder.mkdir(parents=True, mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "agent.sock"))
    listener = await serve_again(agent, tmp_path / "e")
    await listener.stop()
    assert not listener.socket.exists()


async def test_a_folder_that_others_can_reach_into_is_refused(agent: RunningAgent, tmp_path: Path) -> None:
    folder = tmp_path / "e" / "run"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    with pytest.raises(InvalidInput, match="chmod 700"):
        await serve_again(agent, tmp_path / "e")


async def test_without_a_bind_address_only_the_socket_is_open(agent: RunningAgent, tmp_path: Path) -> None:
    listener = await serve_again(agent, tmp_path / "e", bind="")
    assert listener.url is None
    assert listener.port is None
    await listener.stop()


async def test_stopping_waits_for_no_stream_not_even_for_one_that_does_not_read(agent: RunningAgent) -> None:
    token = await agent.token("read", "run")
    request = f"GET /api/events HTTP/1.1\r\nHost: localhost\r\nx-api-key: {token}\r\n\r\n".encode()
    reading, other = await asyncio.open_connection("127.0.0.1", agent.port)
    other.write(request)
    local, local_other = await asyncio.open_unix_connection(str(agent.socket))
    local_other.write(request)
    with socket.create_connection(("127.0.0.1", agent.port)) as deaf:
        deaf.sendall(request)
        await reading.readuntil(b"retry: 1000")
        await local.readuntil(b"retry: 1000")
        assert agent.agent.listener is not None
        async with asyncio.timeout(PATIENCE):
            await agent.agent.listener.stop()
        rest = await reading.read()
        assert rest.endswith(b"0\r\n\r\n")
        await local.read()
    other.close()
    local_other.close()
    assert not agent.socket.exists()
    with pytest.raises(OSError, match=r"refused|Connect"):
        await asyncio.open_connection("127.0.0.1", agent.port)


async def test_requests_of_tcp_and_socket_are_told_apart_by_the_server(agent: RunningAgent) -> None:
    """A TCP client that sends what a socket's client sends is still a TCP client."""
    request = b"GET /api/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answers = []
    for connect in (
        asyncio.open_connection("127.0.0.1", agent.port),
        asyncio.open_unix_connection(str(agent.socket)),
    ):
        reader, writer = await connect
        writer.write(request)
        answers.append((await reader.readline()).split()[1])
        await reader.read()
        writer.close()
    assert answers == [b"401", b"200"]


async def test_many_stops_leave_no_descriptor(agent: RunningAgent, tmp_path: Path) -> None:
    def opened() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    await (await serve_again(agent, tmp_path / "e")).stop()
    before = opened()
    for _ in range(5):
        await (await serve_again(agent, tmp_path / "e")).stop()
    assert opened() <= before


async def test_a_small_answer_is_not_held_back(agent: RunningAgent) -> None:
    """Head and body are two writes: the second must not wait for the first to be acknowledged (40 ms, Nagle)."""
    assert agent.agent.listener is not None
    async with agent.tcp() as client:
        await client.get("/healthz")
        connections = [each for server in agent.agent.listener._servers for each in server.server_state.connections]
        sockets = [each.transport.get_extra_info("socket") for each in connections]
        delays = [
            each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in sockets if each.family != socket.AF_UNIX
        ]
        assert delays == [1]
