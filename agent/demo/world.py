"""Builds the demo's world around a real agent and takes it down again."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from agent.app import Agent, open_agent
from agent.core.permissions.callers import Caller
from agent.demo.jobs import demo_jobs
from agent.demo.shop import Shop
from agent.settings import Settings
from shared.clock import SystemClock
from shared.errors import Conflict
from shared.models import ConnectionInput, Job, JobInput, KnowledgeBaseInput
from shared.states import ACTIVE

SHOP_FILE = "orders.db"
_SEED = 20_000
_PAST = {
    "Heartbeat": 162,
    "Is the agent well?": 60,
    "Weekly invoices": 40,
    "Import price list": 24,
    "Warehouse stock level": 4,
    "Payment gateway report": 4,
    "Orders into the index": 4,
    "Nightly archive": 1,
    "Replicate to the branch office": 1,
}
"""How often each job has run before anybody looks."""
_LONG_ONES = 7
"""About as many of them take minutes, or wait for another attempt."""
_PATIENCE = 30.0


@dataclass(slots=True)
class DemoWorld:
    agent: Agent
    shop: Shop
    caller: Caller
    url: str
    port_was_taken: bool
    trading: asyncio.Task[None] | None = None

    async def fill(self) -> None:
        """The dozen jobs, and a past: some hundreds of runs, each of them really run. Returns when most have ended;
        what runs long is still at it. A world that was kept has both."""
        made = {job.name: job.id for definition in demo_jobs(self.url) for job in await self._create(definition)}
        self.trading = asyncio.create_task(self.shop.open_for_business())
        if made.keys() >= _PAST.keys():
            await self._make_a_past(made)

    async def close(self) -> None:
        if self.trading is not None:
            self.trading.cancel()
            with suppress(asyncio.CancelledError):
                await self.trading
        await self.agent.stop()

    async def _create(self, definition: JobInput) -> list[Job]:
        """Nothing where there is one of that name."""
        try:
            return [await self.agent.core.jobs.create(self.caller, definition)]
        except Conflict:
            return []

    async def _make_a_past(self, ids: dict[str, str]) -> None:
        """Evenly mixed, so that each job's history reaches as far back as the others'."""
        due = sorted((number / times, name) for name, times in _PAST.items() for number in range(times))
        for _, name in due:
            await self.agent.core.jobs.run_now(self.caller, ids[name])
        await self._most_have_ended()

    async def _most_have_ended(self) -> None:
        core, changed = self.agent.core, asyncio.Event()
        stop_listening = core.store.subscribe(lambda _events: changed.set())
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while sum(await self._active()) > _LONG_ONES:
                    changed.clear()
                    await changed.wait()
        stop_listening()

    async def _active(self) -> list[int]:
        counts = await self.agent.core.runs.counts(self.caller)
        return [counts[state] for state in ACTIVE]


async def open_world(folder: Path, port: int) -> DemoWorld:
    """An agent with a stocked shop, its connection and a knowledge base; what is there of them already is kept."""
    clock = SystemClock()
    shop = Shop(folder / SHOP_FILE, clock, random.Random(_SEED))
    if not shop.is_stocked:
        await shop.stock()
    taken = not _is_free(port)
    settings = Settings(
        data_dir=folder / "agent",
        name="demo",
        bind=f"127.0.0.1:{0 if taken else port}",
        anonymous_account="default",
        account="default",
        allow_private_addresses=["127.0.0.0/8"],
        requests_per_minute=6000,
        stop_grace=timedelta(0),
    )
    agent = await open_agent(settings, clock=clock)
    await agent.start()
    assert agent.listener is not None
    assert agent.listener.url is not None
    caller = agent.core.gate.local()
    world = DemoWorld(agent, shop, caller, agent.listener.url, taken)
    with suppress(Conflict):
        await agent.core.world.create_connection(caller, ConnectionInput(name="orders_db", url=shop.url))
    with suppress(Conflict):
        await agent.core.world.create_knowledge_base(caller, KnowledgeBaseInput(name="orders_kb"))
    return world


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
