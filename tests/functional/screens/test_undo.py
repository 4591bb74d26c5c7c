"""Cancels of what waits, at the real agent: they outlive the console, and any other console takes them back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from agent.services.delayed_canceller import DelayedCanceller
from shared.clock import ManualClock
from shared.models import JobInput, Run
from tests.harness.agent import NOW, RunningAgent, running_agent
from tests.harness.operator import Operator, operating

DELAY = timedelta(seconds=10)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
async def agent(tmp_path: Path, clock: ManualClock) -> AsyncIterator[RunningAgent]:
    async with running_agent(tmp_path / "data", clock=clock) as agent:
        yield agent


@pytest.fixture
async def run(agent: RunningAgent) -> Run:
    """It waits: this agent answers, but runs nothing."""
    job = JobInput.model_validate({"name": "Import", "type": "command", "data": {"command": ["true"]}})
    caller = agent.core.gate.local()
    created = await agent.core.jobs.create(caller, job)
    return await agent.core.jobs.run_now(caller, created.id)  # type: ignore[no-any-return]


def console(agent: RunningAgent, clock: ManualClock) -> AbstractAsyncContextManager[Operator]:
    return operating(agent.socket, clock=clock)


async def now_of(agent: RunningAgent, run: Run) -> Run:
    return await agent.core.runs.get(agent.core.gate.local(), run.id)  # type: ignore[no-any-return]


async def let_due_ones_go(agent: RunningAgent) -> None:
    await next(duty for duty in agent.agent.duties if isinstance(duty, DelayedCanceller)).poll()


async def test_it_takes_effect_although_the_console_is_gone(agent: RunningAgent, clock: ManualClock, run: Run) -> None:
    async with console(agent, clock) as operator:
        await operator.reads("live", "Import")
        await operator.press("x")
        await operator.reads("cancels in 10 s — u undoes", "cancelling 1 run in 10 s — u takes it back")
    assert (await now_of(agent, run)).state == "pending"
    clock.advance(DELAY)
    await let_due_ones_go(agent)
    assert (await now_of(agent, run)).state == "cancelled"
    async with console(agent, clock) as operator:
        await operator.reads("live", "⊘ X")
        await operator.press("u")
        await operator.reads("nothing to undo")


async def test_a_second_session_takes_it_back(agent: RunningAgent, clock: ManualClock, run: Run) -> None:
    async with console(agent, clock) as operator:
        await operator.reads("live", "Import")
        await operator.press("x")
        await operator.reads("cancelling 1 run in 10 s")
    clock.advance(timedelta(seconds=6))
    async with console(agent, clock) as operator:
        await operator.reads("live", "cancels in 4 s — u undoes", "cancelling 1 run in 4 s — u takes it back")
        await operator.press("u")
        await operator.reads("1 cancel taken back")
        await operator.reads_no("cancelling 1 run")
        clock.advance(DELAY)
        await let_due_ones_go(agent)
        back = await now_of(agent, run)
    assert (back.state, back.cancel_requested_at, back.cancel_due_at) == ("pending", None, None)


async def test_both_sessions_see_the_end_of_it(agent: RunningAgent, clock: ManualClock, run: Run) -> None:
    async with console(agent, clock) as one, console(agent, clock) as other:
        await one.reads("live", "Import")
        await other.reads("live", "Import")
        await one.press("x")
        await other.reads("cancelling 1 run in 10 s")
        clock.advance(DELAY)
        await let_due_ones_go(agent)
        for operator in (one, other):
            await operator.reads("⊘ X")
            await operator.reads_no("cancelling 1 run")
    assert (await now_of(agent, run)).state == "cancelled"


async def test_on_the_runs_own_screen(agent: RunningAgent, clock: ManualClock, run: Run) -> None:
    async with console(agent, clock) as operator:
        await operator.reads("live", "Import")
        await operator.press("enter")
        await operator.reads("○ P  pending", "x cancel")
        await operator.press("x")
        await operator.reads("○ P  pending", "cancels in 10 s — u undoes")
        await operator.reads_no("x cancel")
        clock.advance(timedelta(seconds=2))
        await operator.reads("cancels in 8 s — u undoes")
        await operator.press("u")
        await operator.reads("x cancel", "1 cancel taken back")
    assert (await now_of(agent, run)).cancel_due_at is None
