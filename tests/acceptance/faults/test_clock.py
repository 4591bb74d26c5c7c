"""The wall clock set back and forward under a working agent, with real workers: nothing twice, nothing silently lost."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.app import Agent, open_agent
from agent.core.records import RunQuery
from agent.settings import Settings
from shared.models import Fire, Job, JobInput, Run
from tests.harness.telling import PATIENCE, tell_state

HOUR = timedelta(hours=1)
FIVE_MINUTES = timedelta(minutes=5)


class SetClock:
    """The machine's clock, as if somebody had set it; monotonic time does not care."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def set_to(self, now: datetime) -> None:
        """Never to the past while a run is to begin: by the clock of the workers, which stays, its lease would be over."""
        self.offset = now - datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class Watched:
    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self._me = agent.core.gate.local()

    async def publish(self, name: str, command: str = "true", **fields: Any) -> Job:
        definition = {"name": name, "type": "command", "data": {"command": command}, **fields}
        return await self.agent.core.jobs.create(self._me, JobInput.model_validate(definition))

    async def every_second(self, name: str) -> Job:
        policies = {"overlap": "allow"}
        return await self.publish(name, intervalType="simple", interval="1 second", policies=policies)

    async def start(self, job: Job) -> Run:
        return await self.agent.core.jobs.run_now(self._me, job.id)

    async def run(self, run: Run) -> Run:
        return await self.agent.core.runs.get(self._me, run.id)

    async def runs(self, job: Job) -> list[Run]:
        return await self.agent.sql.list_runs(RunQuery(job.account_id, job_id=job.id, limit=200))

    async def fires(self, job: Job) -> list[Fire]:
        return await self.agent.sql.list_fires(job.account_id, job_id=job.id, limit=200)

    async def has_fired(self, job: Job, times: int) -> None:
        async def enough() -> bool:
            return len(await self.fires(job)) >= times

        await until(enough, f"{job.name} has fired {times} times")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def world(tmp_path: Path, clock: SetClock) -> AsyncIterator[Watched]:
    settings = Settings(data_dir=tmp_path / "data", bind="", workers=2, catch_up_rate=6000)
    agent = await open_agent(settings, clock=clock)
    try:
        await agent.start()
        yield Watched(agent)
    finally:
        await agent.stop()


async def test_a_clock_set_back_fires_nothing_twice(world: Watched, clock: SetClock) -> None:
    before = await world.every_second("before")
    await world.has_fired(before, 2)
    turned = clock.now()
    clock.offset = -HOUR
    since = await world.every_second("since")
    await world.has_fired(since, 2)
    fired = [fire.fire_at for fire in await world.fires(before)]
    assert max(fired) <= turned, "its moments are over, whatever the clock says"
    await world.agent.core.jobs.delete(world._me, since.id, None)

    clock.offset = timedelta()
    await world.has_fired(before, len(fired) + 2)
    await world.agent.core.jobs.pause(world._me, before.id)  # or it fires between two of the looks that follow
    moments = Counter(fire.fire_at for fire in await world.fires(before))
    assert set(moments.values()) == {1}
    started = [fire.run_id for fire in await world.fires(before) if fire.outcome == "started"]
    assert len(set(started)) == len(started) == len(await world.runs(before))


async def test_a_clock_set_forward_makes_misses_of_what_it_skips(world: Watched, clock: SetClock) -> None:
    """Treated as each job wants misses treated; and no run under way is taken for lost, though its lease is over."""
    began = (clock.now() + HOUR).replace(minute=1, second=30)  # the next full five minutes are far, then and later
    clock.set_to(began)
    jobs = {
        mode: await world.publish(
            mode, intervalType="cron", interval="*/5 * * * *", policies={"catch_up": {"mode": mode, "window": "1 day"}}
        )
        for mode in ("all", "latest", "none")
    }
    go = world.agent.settings.data_dir / "go"
    long = await world.start(await world.publish("long", f"until [ -e {go} ]; do sleep 0.05; done"))
    await until(lambda: _is(world, long, "running"), "it runs")
    await world.has_fired(await world.every_second("ticking"), 1)

    clock.set_to(began + 6 * FIVE_MINUTES)
    for job in jobs.values():
        await world.has_fired(job, 6)
    await world.agent.rescuer.poll()
    go.touch()
    await until(lambda: _is(world, long, "completed"), "what ran all the while completes")
    assert (await world.run(long)).attempt == 1
    for mode, count in (("all", 6), ("latest", 1), ("none", 0)):
        await until(lambda: _all_completed(world, jobs[mode], count), f"{count} of {mode} are caught up")  # noqa: B023
    fates = {mode: Counter(f"{f.outcome} {f.reason}" for f in await world.fires(job)) for mode, job in jobs.items()}
    assert fates == {
        "all": {"started caught_up": 6},
        "latest": {"coalesced stands_for_later": 5, "started caught_up": 1},
        "none": {"missed catch_up_none": 6},
    }


async def _is(world: Watched, run: Run, state: str) -> bool:
    return (await world.run(run)).state == state


async def _all_completed(world: Watched, job: Job, count: int) -> bool:
    return [run.state for run in await world.runs(job)] == ["completed"] * count


async def until(found: Callable[[], Awaitable[bool]], what: str, deadline: float = PATIENCE) -> None:
    over = time.monotonic() + deadline
    while not await found():
        assert time.monotonic() < over, f"not within {deadline:.0f} s: {what}\n{tell_state()}"
        await asyncio.sleep(0.02)
