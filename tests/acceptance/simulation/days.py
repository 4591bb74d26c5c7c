"""Time driven through a real scheduler, core and store, minute by minute; and what the pure rules say of the same time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import psutil

from agent.app import Agent
from agent.core.records import Fence, Outcome
from agent.core.scheduling.firing import schedule_of
from agent.services.poller import Poller
from agent.services.retention import Retention
from agent.services.scheduler import Scheduler
from agent.services.sealer import Sealer
from agent.store import STORE_FILE
from agent.store.types import to_micros
from shared.clock import ManualClock
from shared.models import Event
from tests.acceptance.simulation.crowd import BEGIN, WORKED, definitions, opened

_AT_ONCE = 250
"""Runs that are claimed and ended in one transaction."""
_EVERY = timedelta(minutes=10)
_MEGABYTE = 1_000_000
D = TypeVar("D", bound=Poller)
Decided = list[tuple[int, str, str]]
"""Moment, outcome, reason of one job's ledger rows, in their order."""


class Days:
    """What happened in them: `fires` told, `memory` in megabytes at each full hour, `took` seconds."""

    def __init__(self, agent: Agent, clock: ManualClock) -> None:
        self._agent = agent
        self._clock = clock
        self._scheduler = _duty(agent, Scheduler)
        self._retention = _duty(agent, Retention)
        self._sealer = _duty(agent, Sealer)
        self._waiting = 0
        self.fires = 0
        self.memory: list[float] = []
        self.took = 0.0
        agent.sql.subscribe(self._hear)

    async def pass_hours(self, hours: int) -> None:
        began = time.perf_counter()
        for _ in range(hours):
            await self._pass_until(self._clock.now() + timedelta(hours=1))
            await self._sealer.poll()
            await self._retention.poll()
            self.memory.append(psutil.Process().memory_info().rss / _MEGABYTE)
        self.took = time.perf_counter() - began

    async def _pass_until(self, end: datetime) -> None:
        worked = self._clock.now()
        while (upcoming := await self._agent.sql.next_due()) is not None and upcoming <= end:
            self._clock.advance(upcoming - self._clock.now())
            while await self._scheduler.poll() == 0:
                pass
            if self._clock.now() - worked >= _EVERY:
                worked = self._clock.now()
                await self._work()
        self._clock.advance(end - self._clock.now())
        await self._work()

    async def _work(self) -> None:
        """Every run of the worked jobs is claimed and completed."""
        now = self._clock.now()
        while self._waiting:
            places = [f"w{number}" for number in range(min(self._waiting, _AT_ONCE))]
            claimed = await self._agent.sql.claim(places, "simulated", now + timedelta(minutes=1), now)
            assert len(claimed) == len(places)
            fences = [Fence(each.run.id, each.run.attempt, each.run.worker_id or "") for each in claimed]
            await self._agent.sql.finish([Outcome(fence, "completed", now, result={}) for fence in fences], now)
            self._waiting -= len(claimed)

    def _hear(self, events: Sequence[Event]) -> None:
        self.fires += sum(event.kind == "fire.recorded" for event in events)
        self._waiting += sum(event.kind == "run.created" and event.data["priority"] == WORKED for event in events)


async def simulate(data_dir: Path, hours: int) -> Days:
    clock = ManualClock(BEGIN)
    agent = await opened(data_dir, clock)
    try:
        days = Days(agent, clock)
        await days.pass_hours(hours)
        return days
    finally:
        await agent.close()


def ledger(data_dir: Path) -> Iterator[tuple[str, Decided]]:
    """Every job's name (an original's, followed by a number in copies) and what the ledger has of it."""
    query = (
        "SELECT name, fire_at, outcome, reason, fires.count FROM jobs JOIN fires ON fires.job_number = jobs.number "
        "ORDER BY fires.job_number, fire_at"
    )
    with closing(sqlite3.connect(data_dir / STORE_FILE)) as store:
        for name, rows in groupby(store.execute(query), key=lambda row: row[0]):
            yield name, [(moment, outcome, reason) for _, moment, outcome, reason, count in rows if count == 1]


def by_the_rules(hours: int) -> dict[str, Decided]:
    """The same of the originals, by the schedule alone; those that never fire in that time are left out."""
    found = {}
    for definition in definitions():
        schedule = schedule_of(definition, BEGIN)
        moments = [to_micros(each) for each in schedule.between(BEGIN, BEGIN + timedelta(hours=hours), 10_000)]
        starts = len(moments) if definition.policies.priority == WORKED else 1
        if moments:
            found[definition.name] = [
                (moment, "started", "on_time") if place < starts else (moment, "skipped", "overlap_active")
                for place, moment in enumerate(moments)
            ]
    return found


def _duty(agent: Agent, kind: type[D]) -> D:
    return next(duty for duty in agent.duties if isinstance(duty, kind))
