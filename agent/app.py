"""An agent: opened, started, stopped. The only file that knows every part of it."""

from __future__ import annotations

import asyncio
import gc
import random
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import structlog
from fastapi import FastAPI

from agent.api.app import create_api
from agent.api.serving import Listener, serve
from agent.composing.authoring import make_authoring
from agent.composing.core import make_core
from agent.composing.duties import make_duties
from agent.composing.execution import make_execution
from agent.composing.ground import Ground, open_ground
from agent.composing.identity import open_gate
from agent.composing.resources import open_resources
from agent.composing.scheduling import make_scheduling
from agent.core.operations import Core
from agent.resources.knowledge.client import KnowledgeReader
from agent.resources.logs import FileLogStore
from agent.services.dispatcher import Dispatcher
from agent.services.poller import Poller
from agent.services.rescuer import Rescuer
from agent.services.supervisor import Supervisor
from agent.settings import Settings
from agent.store import SqlStore
from shared.clock import Clock, SystemClock
from shared.errors import Unavailable
from shared.ids import NewId, new_id
from shared.places import socket_path

_log = structlog.get_logger()
_YOUNG_OBJECTS = 5000
"""So many are made before the collector looks through them."""


@dataclass(slots=True)
class Agent:
    """An opened agent. `start` makes it work and answer; `stop` ends all of it; both may be left out."""

    ground: Ground
    core: Core
    api: FastAPI
    reader: KnowledgeReader
    logs: FileLogStore
    duties: list[Poller]
    supervisor: Supervisor
    dispatcher: Dispatcher
    rescuer: Rescuer
    listener: Listener | None = None
    works: bool = False
    closed: bool = False

    @property
    def settings(self) -> Settings:
        return self.ground.settings

    @property
    def sql(self) -> SqlStore:
        return self.ground.store

    async def start(self, *, idle: bool = False) -> None:
        """Rescue what an agent before left, then work, then listen: whoever gets an answer gets a true one.
        `idle`: answer only, fire and run nothing; then the reader of knowledge bases comes with the first question."""
        if not idle:
            await self.reader.start_if_needed()
        rescued = 0 if idle else await self._start_work()
        self.listener = await serve(self.api, self.settings, socket_path(self.settings.data_dir))
        _log.info("agent_started", url=self.listener.url, socket=str(self.listener.socket), rescued_runs=rescued)

    async def _start_work(self) -> int:
        rescued = await self.rescuer.rescue_predecessors()
        self.works = True
        await self.core.executor.start(self.supervisor.hear, self.supervisor.end, self.dispatcher.take_back)
        for duty in self.duties:
            duty.start()
        return rescued

    async def stop(self) -> None:
        """No new work, then the runs under way get `stop_grace`, then everything is closed; nothing is left half-written.
        What cannot be ended keeps nothing after it from its end."""
        async with AsyncExitStack() as ending:  # the last one first
            ending.push_async_callback(self.close)
            if self.works:
                ending.push_async_callback(self._stop_work)
            if self.listener is not None:
                ending.push_async_callback(self.listener.stop)
        _log.info("agent_stopped")

    async def _stop_work(self) -> None:
        """The supervisor last: what running work says until its end is still heard."""
        starting = [duty for duty in self.duties if duty is not self.supervisor]
        await asyncio.gather(*(duty.stop() for duty in starting))
        self.supervisor.hurry()
        await self.core.executor.stop(self.settings.stop_grace.total_seconds())
        with suppress(Unavailable):  # the next agent finds them without a worker
            await self.dispatcher.store_ends()
        await self.supervisor.stop()

    async def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.ground.close)
            closing.callback(self.logs.close)
            closing.push_async_callback(self.reader.stop)


async def open_agent(
    settings: Settings,
    *,
    clock: Clock | None = None,
    ids: NewId = new_id,
    rng: random.Random | None = None,
    maintenance: bool = False,
) -> Agent:
    """Open the data directory and put the agent together; Conflict if another agent holds it.
    `maintenance` is what others are told who ask for it meanwhile."""
    clock, rng = clock or SystemClock(), rng or random.Random()  # noqa: S311  (spreads load, guards nothing)
    ground = await open_ground(settings, clock, ids, rng, "maintenance" if maintenance else "agent")
    try:
        return await _put_together(ground)
    except BaseException:
        await ground.close()
        raise


async def _put_together(ground: Ground) -> Agent:
    gate = await open_gate(ground)
    resources = open_resources(ground)
    execution, scheduling = make_execution(ground, resources), make_scheduling(ground)
    authoring = make_authoring(ground, resources, execution, scheduling)
    duties = make_duties(ground, resources, execution, scheduling, authoring)
    core = make_core(ground, resources, execution, authoring, gate, duties.failing)
    return Agent(
        ground=ground,
        core=core,
        api=create_api(core),
        reader=resources.reader,
        logs=resources.logs,
        duties=duties.all,
        supervisor=duties.supervisor,
        dispatcher=duties.dispatcher,
        rescuer=duties.rescuer,
    )


def settle_memory() -> None:
    """What a started agent is made of stays: the collector need not look through it again and again, a tenth of a second
    each time in which nothing else moves. And what comes and goes is looked through less often: a crowd makes objects by
    the thousand, hardly any of them in a circle. For a process that is an agent and nothing else."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
