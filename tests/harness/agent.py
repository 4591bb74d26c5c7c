"""A real agent inside the test: its own store, its own doors, a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from agent.app import Agent, open_agent
from agent.settings import Settings
from shared.clock import Clock, ManualClock
from shared.models import TokenInput
from tests.harness.prepared import prepare_folder
from tests.harness.telling import PATIENCE

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CHEAP: dict[str, int] = {"time_cost": 1, "memory_kib": 8, "parallelism": 1}
"""What a password costs where nothing is said about it."""


@dataclass(slots=True)
class RunningAgent:
    agent: Agent
    clock: Clock
    url: str
    port: int
    socket: Path

    @property
    def core(self) -> Any:
        return self.agent.core

    def local(self, **headers: str) -> httpx.AsyncClient:
        """As the agent's own user, over the socket."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.socket), verify=False)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers, timeout=PATIENCE)

    def tcp(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """From somewhere else: with a token, or without."""
        given = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=self.url, headers=given | headers, timeout=PATIENCE, verify=False)

    async def token(self, *scopes: str, **given: Any) -> str:
        local = self.core.gate.local()
        made = await self.core.gate.tokens.create(local, TokenInput(name="test", scopes=list(scopes), **given))
        return str(made.token)


@asynccontextmanager
async def running_agent(data_dir: Path, *, clock: Clock | None = None, **settings: Any) -> AsyncIterator[RunningAgent]:
    """An agent that answers on a free port and on its socket, but fires and runs nothing."""
    clock = clock or ManualClock(NOW)
    given = {"bind": "127.0.0.1:0", "passwords": CHEAP} | settings
    agent = await open_agent(Settings(data_dir=prepare_folder(data_dir), **given), clock=clock)
    try:
        await agent.start(idle=True)
        listener = agent.listener
        assert listener is not None
        yield RunningAgent(agent, clock, listener.url or "", listener.port or 0, listener.socket)
    finally:
        await agent.stop()
