"""A real agent, a client at its socket, and a relay in between that a test can cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from console.client import AgentClient, Target
from console.client.line import Sleep
from shared.clock import ManualClock
from shared.models import JobInput
from tests.harness.agent import NOW, RunningAgent, running_agent
from tests.harness.agent_process import agent_process
from tests.harness.shell import Shell


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[RunningAgent]:
    async with running_agent(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def client(agent: RunningAgent) -> AsyncIterator[AgentClient]:
    async with AgentClient(Target("local", "http://localhost", agent.socket)) as open_client:
        yield open_client


class Pauses:
    """Stands for sleeping: remembers how long, and lets the others have their turn."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        await asyncio.sleep(0.01)


class Relay:
    """A Unix socket before the agent's own; `cut` drops every connection, `closed` refuses new ones."""

    def __init__(self, path: Path, behind: Path) -> None:
        self.path = path
        self._behind = behind
        self._pipes: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.path.unlink(missing_ok=True)
        await self.cut()

    async def cut(self) -> None:
        for pipe in list(self._pipes):
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pipes.add(task)
        far_reader, far_writer = await asyncio.open_unix_connection(self._behind)
        try:
            with suppress(asyncio.CancelledError, ConnectionError):
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._pipes.discard(task)
            for each in (writer, far_writer):
                each.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
async def relay(agent: RunningAgent, tmp_path: Path) -> AsyncIterator[Relay]:
    standing = Relay(tmp_path / "relay.sock", agent.socket)
    await standing.open()
    yield standing
    await standing.close()


@asynccontextmanager
async def through(relay: Relay, pauses: Sleep) -> AsyncIterator[AgentClient]:
    target = Target("local", "http://localhost", relay.path)
    clock = ManualClock(NOW)
    async with AgentClient(target, clock=clock, sleep=pauses, jitter=lambda: 1.0) as open_client:
        yield open_client


def command(name: str = "Backup", **details: object) -> JobInput:
    return JobInput.model_validate({"name": name, "type": "command", "data": {"command": ["true"]}, **details})


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """`jobdeck` beside an agent of its module."""
    data = tmp_path_factory.mktemp("cli") / "data"
    made = Shell(data)
    with agent_process(data, env=made.environment):
        yield made
