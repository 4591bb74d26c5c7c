"""What is caught up after an absence, with the real store: under the rate, in turn, or when an operator says so."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.core.permissions.callers import Scope
from agent.core.records import ClaimedRun, Fence, Outcome, RunQuery
from agent.services import scheduler
from agent.services.catch_up import CatchUp
from agent.services.scheduler import Scheduler
from shared.clock import ManualClock
from shared.errors import Forbidden, NotFound
from shared.models import HeldChoice, HeldDecision, Job, ReleaseChoice, Run
from tests.functional.agent.stage import HOUR, MINUTE, NOON, Stage, opened

SECOND = timedelta(seconds=1)
ALL = {"overlap": "allow", "catch_up": {"mode": "all"}}


@asynccontextmanager
async def absent(
    folder: Path, span: timedelta, jobs: int = 1, /, *, interval: str = "1 minute", **settings: Any
) -> AsyncIterator[tuple[Stage, list[Job]]]:
    """An agent that comes back after `span` and has looked once at all that is due; its jobs catch everything up."""
    async with opened(folder / "data") as before:
        named = {"interval_type": "simple", "interval": interval, "policies": ALL}
        made = [await before.job(f"job {number}", **named) for number in range(jobs)]
    async with opened(folder / "data", ManualClock(NOON + span + 30 * SECOND), **settings) as after:
        await after.settle()
        yield after, made


async def turn(stage: Stage) -> float:
    return await stage.duty(CatchUp).poll()


async def release(stage: Stage, *jobs: Job, **choice: Any) -> HeldDecision:
    keys = [job.slug for job in jobs] or None
    return await stage.core.catching_up.release(stage.me, ReleaseChoice(jobs=keys, **choice))  # type: ignore[no-any-return]


async def discard(stage: Stage, *jobs: Job, **choice: Any) -> HeldDecision:
    keys = [job.slug for job in jobs] or None
    return await stage.core.catching_up.discard(stage.me, HeldChoice(jobs=keys, **choice))  # type: ignore[no-any-return]


async def caught_up(stage: Stage) -> list[Run]:
    return [run async for run in _every_run(stage) if run.cause == "catch_up"]


async def _every_run(stage: Stage) -> AsyncIterator[Run]:
    before = None
    while page := await stage.agent.sql.list_runs(RunQuery(stage.me.account_id, before=before, limit=1000)):
        for run in page:
            yield run
        before = page[-1].number


async def reasons(stage: Stage, job: Job) -> Counter[str]:
    found: Counter[str] = Counter()
    before = None
    while page := await stage.agent.sql.list_fires(job.account_id, job_id=job.id, before=before, limit=1000):
        found.update(str(fire.reason) for fire in page)
        before = page[-1].id
    return found


async def complete(stage: Stage, claimed: list[ClaimedRun]) -> None:
    """All in one transaction."""
    now = stage.clock.now()
    fences = [Fence(each.run.id, each.run.attempt, each.run.worker_id or "") for each in claimed]
    await stage.agent.sql.finish([Outcome(fence, "completed", now, result={}) for fence in fences], now)


async def work_off(stage: Stage, places: int, step: timedelta = SECOND) -> None:
    """Everything that may be caught up runs, `places` at a time, until nothing is left."""
    while True:
        await turn(stage)
        claimed = await stage.claim(places)
        await complete(stage, claimed)
        if not claimed and not await stage.agent.sql.next_turns(places):
            return
        stage.clock.advance(step)


@pytest.mark.parametrize("each", [5, pytest.param(50, marks=pytest.mark.soak)])
async def test_many_wait_for_the_operator_and_then_all_run_once(tmp_path: Path, each: int) -> None:
    settings = {"workers": 100, "catch_up_rate": 100_000}
    async with absent(tmp_path, (each + 1) * MINUTE, 100, **settings) as (stage, jobs):
        held = await stage.core.catching_up.standing(stage.me)
        assert (held.waiting, held.released, len(held.items)) == (100 * each, 0, 100)
        await turn(stage)
        assert await caught_up(stage) == [], "nothing starts by itself"
        on_time = {job.id: (await stage.fates(job))[-1] for job in jobs}
        assert set(on_time.values()) == {"started on_time"}
        await complete(stage, await stage.claim(100))
        assert (await release(stage)).released == 100 * each
        assert (await release(stage)).released == 0
        await work_off(stage, 100)
        runs = await caught_up(stage)
        assert Counter((run.job_id, run.fire_at) for run in runs).most_common(1)[0][1] == 1
        assert (len(runs), {run.state for run in runs}) == (100 * each, {"completed"})
        assert [await reasons(stage, job) for job in jobs] == [Counter(caught_up=each, on_time=1)] * 100


async def test_runs_of_one_job_go_one_after_the_other_oldest_first(tmp_path: Path) -> None:
    async with absent(tmp_path, 12 * MINUTE, 1, catch_up_rate=6000) as (stage, [job]):
        await stage.work_off()
        for number in range(10):
            stage.clock.advance(SECOND)
            await turn(stage)
            await turn(stage)
            active = [run for run in await caught_up(stage) if run.finished_at is None]
            assert [run.fire_at for run in active] == [NOON + (number + 2) * MINUTE]
            [claimed] = await stage.claim(5)
            await stage.complete(claimed)
        assert await reasons(stage, job) == Counter(caught_up=11, on_time=1)


async def test_all_jobs_together_keep_to_the_rate(tmp_path: Path) -> None:
    async with absent(tmp_path, 10 * MINUTE, 20, catch_up_rate=60, workers=20) as (stage, _):
        await release(stage)
        made = []
        for _ in range(100):
            await turn(stage)
            made.append(len(await caught_up(stage)))
            await complete(stage, await stage.claim(20))
            stage.clock.advance(timedelta(milliseconds=100))
        assert made[-1] == 10
        assert all(after - before <= 1 for before, after in itertools.pairwise(made))


@pytest.mark.parametrize("threshold", [100, 10_000])
@pytest.mark.parametrize(("jobs", "each"), [(1, 5000), (25, 40)])
async def test_however_much_is_to_be_caught_up_nobody_else_waits(
    tmp_path: Path, threshold: int, jobs: int, each: int
) -> None:
    """One worker, and runs that take longer than the rate would have them: what is on time comes after two of them."""
    settings = {"workers": 1, "catch_up_rate": 100_000, "catch_up_threshold": threshold}
    span = (each + 6) * timedelta(seconds=10)  # of which those of the last minute are on time
    async with absent(tmp_path, span, jobs, interval="10 seconds", **settings) as (stage, busy):
        await release(stage)
        for job in busy:
            await stage.edit(job, interval_type="none", interval=None)
        stage.sql("UPDATE runs SET state = 'cancelled', finished_at = created_at WHERE finished_at IS NULL")
        to_go = (await stage.core.catching_up.standing(stage.me)).released
        assert to_go > jobs * (each - 2)
        other = await stage.minutely("on time")
        for _ in range(3):
            await stage.tick()
            order: list[str] = []
            while other.id not in order:
                stage.clock.advance(SECOND)
                await turn(stage)
                [claimed] = await stage.claim(1)
                order.append(claimed.run.job_id)
                await stage.complete(claimed)
            assert len(order) <= 3
        assert (await stage.core.catching_up.standing(stage.me)).released >= to_go - 9, "the catch-up is not through"


@pytest.mark.parametrize(("jobs", "waiting"), [(10, 0), (11, 11)])
async def test_the_threshold_counts_all_jobs_together(tmp_path: Path, jobs: int, waiting: int) -> None:
    async with absent(tmp_path, 2 * MINUTE, jobs, catch_up_threshold=10) as (stage, made):
        held = await stage.core.catching_up.standing(stage.me)
        assert held.waiting == waiting
        assert len(await caught_up(stage)) == (0 if waiting else 10)
        assert {(await stage.fates(job))[-1] for job in made} == {"started on_time"}


async def test_an_agent_that_ends_in_the_midst_of_holding_goes_on_holding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "_BATCH", 5)
    async with opened(tmp_path / "data") as before:
        jobs = [await before.job(f"job {number}", interval_type="simple", interval="1 hour") for number in range(12)]
    clock = ManualClock(NOON + HOUR + 5 * MINUTE)
    for _ in range(2):
        async with opened(tmp_path / "data", clock, catch_up_threshold=10) as ending:
            await ending.duty(Scheduler).poll()
            clock.advance(SECOND)
    async with opened(tmp_path / "data", clock, catch_up_threshold=10) as after:
        await after.settle()
        assert [await after.fates(job) for job in jobs] == [["held awaiting_operator"]] * 12
        await after.tick(2 * HOUR)
        fates = [await after.fates(job) for job in jobs]
        assert all(each[-1] == "held awaiting_operator" for each in fates), "another absence, too much again"
        assert sum(each.count("held awaiting_operator") for each in fates) == 24
        late = await after.job("late", interval_type="simple", interval="1 hour")
        await after.tick(HOUR + 5 * MINUTE)
        assert (await after.fates(late))[-1] == "held awaiting_operator"


async def test_what_is_held_from_before_holds_nothing_new(tmp_path: Path) -> None:
    async with absent(tmp_path, HOUR, catch_up_threshold=10) as (stage, [job]):
        await stage.work_off()
        await stage.tick(5 * MINUTE)
        assert (await reasons(stage, job))["awaiting_operator"] == 59
        assert len(await caught_up(stage)) == 1


async def test_what_was_held_while_the_clock_stood_ahead_holds_nothing_once_it_is_right(tmp_path: Path) -> None:
    async with absent(tmp_path, 2 * MINUTE) as (stage, [job]):
        await stage.agent.sql.hold_up_to(NOON + timedelta(days=300))
        await stage.work_off()
        stage.clock.advance(5 * MINUTE)
        await stage.settle()
        assert (await stage.core.catching_up.standing(stage.me)).waiting == 0
        assert (await reasons(stage, job))["awaiting_operator"] == 0


async def test_who_touches_a_job_before_the_scheduler_does_not_get_around_the_brake(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as before:
        named = {"interval_type": "simple", "interval": "1 minute", "policies": ALL}
        one, two = [await before.job(name, **named) for name in ("one", "two")]
    async with opened(tmp_path / "data", ManualClock(NOON + HOUR), catch_up_threshold=100) as after:
        await after.core.jobs.pause(after.me, one.id)
        assert (await reasons(after, one))["awaiting_operator"] > 50
        assert await caught_up(after) == []
        await after.settle()
        assert (await reasons(after, two))["awaiting_operator"] > 50


async def test_held_fires_outlive_restart_edit_and_their_catch_up_window(tmp_path: Path) -> None:
    async with absent(tmp_path, HOUR, catch_up_threshold=10) as (stage, [job]):
        edited = await stage.edit(job, data={"command": ["false"]}, interval="1 hour", policies={"overlap": "skip"})
        late = stage.clock.now() + timedelta(days=3)
    async with opened(tmp_path / "data", ManualClock(late), catch_up_threshold=10) as after:
        assert (await after.core.catching_up.standing(after.me)).waiting == 59
        assert (await release(after)).released == 59
        await turn(after)
        run = (await caught_up(after))[0]
        assert (run.fire_at, run.revision) == (NOON + MINUTE, edited.revision), "as the job is when it starts"


async def test_released_fires_outlive_a_restart(tmp_path: Path) -> None:
    async with absent(tmp_path, 20 * MINUTE, catch_up_threshold=10) as (stage, [job]):
        await stage.work_off()
        await release(stage)
        await turn(stage)
        clock = stage.clock
    async with opened(tmp_path / "data", clock, catch_up_threshold=10) as after:
        await work_off(after, 1)
        assert await reasons(after, job) == Counter(caught_up=19, on_time=1)
        assert len(await caught_up(after)) == 19


async def test_by_job_and_by_range_and_the_latest_only(tmp_path: Path) -> None:
    async with absent(tmp_path, 20 * MINUTE, 3, catch_up_threshold=10) as (stage, [one, two, three]):
        assert await release(stage, one, take="latest") == HeldDecision(released=1, coalesced=18)
        assert await reasons(stage, one) == Counter(stands_for_later=18, awaiting_turn=1, on_time=1)
        standing = {fire.stands_in_fire_at for fire in await stage.fires(one) if fire.outcome == "coalesced"}
        assert standing == {NOON + 19 * MINUTE}
        span: dict[str, datetime] = {"since": NOON + 5 * MINUTE, "until": NOON + 8 * MINUTE}
        assert await release(stage, two, **span) == HeldDecision(released=4, left=0)
        assert await discard(stage, two, until=NOON + 6 * MINUTE) == HeldDecision(discarded=6)
        assert await reasons(stage, two) == Counter(discarded=6, awaiting_turn=2, awaiting_operator=11, on_time=1)
        assert await discard(stage) == HeldDecision(discarded=1 + 13 + 19)
        assert (await stage.core.catching_up.standing(stage.me)).items == []
        row = (await stage.fires(three))[0]
        assert (row.outcome, row.reason, row.decided_by, row.run_id) == ("missed", "discarded", stage.me.handle, None)
        await turn(stage)
        assert await caught_up(stage) == []


@pytest.mark.parametrize("stopped", ["paused", "disabled"])
async def test_fires_of_a_job_that_stands_still_wait(tmp_path: Path, stopped: str) -> None:
    async with absent(tmp_path, 20 * MINUTE, 2, catch_up_threshold=10) as (stage, [still, other]):
        await stage.work_off()
        await _stop(stage, still, stopped)
        assert await release(stage) == HeldDecision(released=19, left=19)
        [first, _] = (await stage.core.catching_up.standing(stage.me)).items
        assert (first.job_id, first.waiting, first.stopped) == (still.id, 19, stopped)
        await _go_on(stage, still, stopped)
        await release(stage, still)
        await _stop(stage, still, stopped)
        await turn(stage)
        assert [run.job_id for run in await caught_up(stage)] == [other.id]
        told = (await stage.core.jobs.explain(stage.me, still.id)).sentences
        assert any("19 of its missed fires wait for their turn" in line and stopped in line for line in told)
        await _go_on(stage, still, stopped)
        await work_off(stage, 2)
        assert (await reasons(stage, still))["caught_up"] == 19


async def _stop(stage: Stage, job: Job, how: str) -> None:
    if how == "paused":
        await stage.core.jobs.pause(stage.me, job.id)
    else:
        await stage.edit(job, enabled=False)


async def _go_on(stage: Stage, job: Job, how: str) -> None:
    if how == "paused":
        await stage.core.jobs.resume(stage.me, job.id)
    else:
        await stage.edit(job, enabled=True)


@pytest.mark.parametrize("when", ["before the release", "after it"])
async def test_after_its_window_nothing_of_a_job_is_caught_up(tmp_path: Path, when: str) -> None:
    async with absent(tmp_path, 20 * MINUTE, catch_up_threshold=10) as (stage, [job]):
        await stage.work_off()
        await stage.edit(job, end_on=(NOON + 22 * MINUTE).isoformat())
        if when == "after it":
            assert (await release(stage)).released == 19
        stage.clock.advance(5 * MINUTE)
        if when == "before the release":
            assert await release(stage) == HeldDecision(closed=19)
        await turn(stage)
        assert await caught_up(stage) == []
        assert (await reasons(stage, job))["window_closed"] == 19
        assert (await stage.core.catching_up.standing(stage.me)).items == []


async def test_a_deleted_job_leaves_nothing_that_waits(tmp_path: Path) -> None:
    async with absent(tmp_path, 20 * MINUTE, 2, catch_up_threshold=10) as (stage, [gone, other]):
        await release(stage, gone)
        await stage.core.jobs.delete(stage.me, gone.id, None)
        assert (await reasons(stage, gone))["job_deleted"] == 19
        assert [item.job_id for item in (await stage.core.catching_up.standing(stage.me)).items] == [other.id]
        assert await stage.agent.sql.next_turns(5) == []
        with pytest.raises(NotFound):
            await release(stage, gone, other)
        assert (await reasons(stage, other))["awaiting_operator"] == 19, "nothing was decided"


async def test_explain_says_what_waits_and_who_decided(tmp_path: Path) -> None:
    async with absent(tmp_path, HOUR, catch_up_threshold=10) as (stage, [job]):
        told = (await stage.core.jobs.explain(stage.me, job.id)).sentences
        waits = "59 of its missed fires wait for an operator (from 2026-03-02 12:01:00Z to 2026-03-02 12:59:00Z)"
        assert any(line.startswith(waits) and "jobdeck catch-up release job-0" in line for line in told)
        await discard(stage, until=NOON + 58 * MINUTE)
        await release(stage)
        await turn(stage)
        told = (await stage.core.jobs.explain(stage.me, job.id)).sentences
        assert "The fire of 2026-03-02 12:58:00Z was missed, and operator decided not to run it." in told
        assert "The fire of 2026-03-02 12:59:00Z was missed, and caught up later: operator released it." in told


async def test_who_may_decide_and_about_what(tmp_path: Path) -> None:
    async with absent(tmp_path, 20 * MINUTE, catch_up_threshold=10) as (stage, [job]):
        acts = stage.core.catching_up
        for act, choice in ((acts.release, ReleaseChoice()), (acts.discard, HeldChoice())):
            with pytest.raises(Forbidden, match="run"):
                await act(stage.without(Scope.RUN), choice)
            assert await act(stage.without(account="other"), choice) == HeldDecision()
        with pytest.raises(Forbidden, match="read"):
            await acts.standing(stage.without(Scope.READ))
        assert (await acts.standing(stage.without(account="other"))).items == []
        assert (await reasons(stage, job))["awaiting_operator"] == 19


async def test_events_say_what_waits_and_who_decided(tmp_path: Path) -> None:
    async with absent(tmp_path, 20 * MINUTE, 2, catch_up_threshold=10) as (stage, [one, other]):
        await release(stage, one)
        await discard(stage)
        events = await stage.agent.sql.events_after(stage.me.account_id, 0, 10_000) or []
        me = stage.me.handle
        told = [event.data for event in events if event.kind == "catch_up.changed"]
        assert [set(each.pop("jobIds")) for each in told] == [{one.id, other.id}, {one.id}, {one.id, other.id}]
        assert told == [
            {"act": "held", "by": None, "count": 38, "waiting": 38, "jobs": 2},
            {"act": "released", "by": me, "count": 19, "waiting": 19, "jobs": 1},
            {"act": "discarded", "by": me, "count": 38, "waiting": 0, "jobs": 0},
        ]


async def test_the_duty_hears_what_gives_a_turn(tmp_path: Path) -> None:
    async with absent(tmp_path, 20 * MINUTE, catch_up_threshold=10) as (stage, [job]):
        duty = stage.duty(CatchUp)
        await stage.work_off()
        await release(stage)
        await turn(stage)
        duty._wake.clear()
        [claimed] = await stage.claim(1)
        assert duty._wake.is_set(), "the place in the queue is free"
        duty._wake.clear()
        await stage.complete(claimed)
        assert duty._wake.is_set(), "the next of the job may start"
        duty._wake.clear()
        await stage.core.jobs.pause(stage.me, job.id)
        assert duty._wake.is_set()
