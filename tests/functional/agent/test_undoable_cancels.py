"""A cancel that can be undone takes effect on the agent, whoever is still there to see it."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest

from agent.core.permissions.callers import Scope
from agent.services.delayed_canceller import DelayedCanceller
from agent.services.dispatcher import Dispatcher
from shared.clock import ManualClock
from shared.errors import Conflict, Forbidden, NotFound, StaleVersion
from shared.models import Run
from tests.functional.agent.stage import NOON, Bench, Stage, opened
from tests.harness.telling import PATIENCE

DELAY = timedelta(seconds=10)


async def leaving(stage: Stage) -> Run:
    """A run that waits, with a cancel that can be undone."""
    run = await stage.core.jobs.run_now(stage.me, (await stage.job()).id)
    return await stage.core.runs.cancel(stage.me, run.id, run.version, undoable=True)  # type: ignore[no-any-return]


async def state_of(stage: Stage, run: Run) -> str:
    return str((await stage.core.runs.get(stage.me, run.id)).state)


async def test_the_duty_rests_until_the_cancel_is_due_then_carries_it_out(stage: Stage) -> None:
    duty = stage.duty(DelayedCanceller)
    run = await leaving(stage)
    assert run.cancel_due_at == NOON + DELAY
    assert await duty.poll() == DELAY.total_seconds()
    stage.clock.advance(DELAY - timedelta(seconds=1))
    assert await duty.poll() == 1.0
    assert await state_of(stage, run) == "pending"
    stage.clock.advance(timedelta(seconds=1))
    assert await duty.poll() == 0.0
    assert await state_of(stage, run) == "cancelled"
    assert await duty.poll() > DELAY.total_seconds(), "nothing waits any more"


async def test_undone_in_time_it_runs(stage: Stage) -> None:
    bench = stage.man(Bench("w"))
    run = await leaving(stage)
    await stage.dispatch()
    assert bench.orders == {}, "nothing starts what is about to be cancelled"
    await stage.core.runs.uncancel(stage.me, run.id)
    stage.clock.advance(DELAY)
    await stage.duty(DelayedCanceller).poll()
    await stage.dispatch()
    assert bench.orders["w"].run_id == run.id
    assert bench.cancelled == []


async def test_the_running_duty_wakes_for_a_new_cancel_and_for_its_moment(tmp_path: Path) -> None:
    """With no delay the moment is now: the duty that rests for lack of work has to hear of it."""
    async with opened(tmp_path / "data", undo_delay="0 s") as stage:
        duty = stage.duty(DelayedCanceller)
        duty.start()
        await asyncio.sleep(0)
        run = await leaving(stage)
        over = time.monotonic() + PATIENCE
        while await state_of(stage, run) != "cancelled":
            assert time.monotonic() < over, "the duty slept on"
            await asyncio.sleep(0.01)
        await duty.stop()


async def test_the_next_agent_carries_it_out(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    async with opened(tmp_path / "data", clock) as stage:
        run = await leaving(stage)
    clock.advance(timedelta(hours=1))
    async with opened(tmp_path / "data", clock) as stage:
        assert await state_of(stage, run) == "pending"
        await stage.duty(DelayedCanceller).poll()
        assert await state_of(stage, run) == "cancelled"


async def test_a_cancel_that_is_not_undoable_does_not_wait(stage: Stage) -> None:
    run = await leaving(stage)
    assert (await stage.core.runs.cancel(stage.me, run.id)).state == "cancelled"


async def test_running_work_is_signalled_at_once(stage: Stage) -> None:
    bench = stage.man(Bench("w"))
    run = await stage.core.jobs.run_now(stage.me, (await stage.job()).id)
    await stage.dispatch()
    asked = await stage.core.runs.cancel(stage.me, run.id, undoable=True)
    assert (asked.cancel_requested_at, asked.cancel_due_at) == (NOON, None)
    assert asked.cancel_deadline_at is not None
    assert bench.orders["w"].run_id == run.id
    with pytest.raises(Conflict, match="running, and no cancel of it waits"):
        await stage.core.runs.uncancel(stage.me, run.id)


async def test_what_cannot_be_undone_says_why(stage: Stage) -> None:
    run = await leaving(stage)
    with pytest.raises(StaleVersion):
        await stage.core.runs.uncancel(stage.me, run.id, run.version - 1)
    with pytest.raises(Forbidden):
        await stage.core.runs.uncancel(stage.without(Scope.RUN), run.id)
    with pytest.raises(NotFound):
        await stage.core.runs.uncancel(stage.without(account="other"), run.id)
    stage.clock.advance(DELAY)
    await stage.duty(DelayedCanceller).poll()
    with pytest.raises(Conflict, match="is cancelled"):
        await stage.core.runs.uncancel(stage.me, run.id)


async def test_explain_says_when_it_will_be_cancelled(stage: Stage) -> None:
    run = await leaving(stage)
    told = await stage.core.jobs.explain(stage.me, run.job_id)
    assert f"Run #{run.number} is pending and will be cancelled at 2026-03-02 12:00:10Z, unless that is undone." in (
        told.sentences
    )
    assert await stage.duty(Dispatcher).poll() > 0
