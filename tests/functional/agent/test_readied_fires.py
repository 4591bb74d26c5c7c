"""Fires that are written in the second before they are due, all but the commit: whatever is done until then counts all
the same, and is not kept waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from agent.core.records import Ahead
from agent.services import readying
from agent.services.dispatcher import Dispatcher
from agent.services.scheduler import Scheduler
from shared.models import AccountLimits, Job
from tests.functional.agent.stage import MINUTE, NOON, Bench, Stage

SHORTLY = timedelta(milliseconds=600)
Act = Callable[[Stage, Job], Awaitable[object]]


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readying, "LEAST", 1)
    monkeypatch.setattr(readying, "_SPARE", 0.8)
    monkeypatch.setattr(readying, "_LONGEST", 60.0)


async def _ready(stage: Stage, count: int) -> set[str]:
    """Look shortly before the next minute; the ids of the runs that are written then, and to be seen by nobody."""
    stage.clock.advance(MINUTE - SHORTLY)
    await stage.settle()
    scheduler = stage.duty(Scheduler)
    assert scheduler._readying.is_ready
    assert scheduler._foreseen is not None
    assert scheduler._ready == count
    ids = {row.run.id for each in scheduler._foreseen.settled for row in each.rows if row.run}
    assert len(ids) == count
    return ids


async def _resume(stage: Stage, job: Job) -> None:
    await stage.core.jobs.pause(stage.me, job.id)
    await stage.core.jobs.resume(stage.me, job.id)


DONE: dict[str, tuple[Act, list[str]]] = {
    "paused": (lambda stage, job: stage.core.jobs.pause(stage.me, job.id), []),
    "resumed": (_resume, ["started on_time"]),
    "disabled": (lambda stage, job: stage.edit(job, enabled=False), []),
    "deleted": (lambda stage, job: stage.core.jobs.delete(stage.me, job.id, None), []),
    "edited": (lambda stage, job: stage.edit(job, interval="*/5 * * * *"), []),
    "renamed": (lambda stage, job: stage.edit(job, name="called otherwise"), ["started on_time"]),
    "run": (lambda stage, job: stage.core.jobs.run_now(stage.me, job.id), ["skipped overlap_active"]),
    "limited": (
        lambda stage, job: stage.agent.sql.put_account_limits(
            job.account_id, AccountLimits(waiting_runs=1), stage.clock.now()
        ),
        ["started on_time"],
    ),
}


@pytest.mark.parametrize("act", DONE)
async def test_what_is_done_to_a_job_in_the_last_moment_counts(stage: Stage, act: str) -> None:
    do, fates = DONE[act]
    job, other = await stage.minutely("it"), await stage.minutely("other")
    readied = await _ready(stage, 2)
    await do(stage, job)
    assert not stage.duty(Scheduler)._readying.is_ready
    await stage.tick(SHORTLY)
    assert await stage.fates(job) == fates
    assert await stage.fates(other) == (["skipped account_queue_full"] if act == "limited" else ["started on_time"])
    assert readied.isdisjoint([run.id for each in (job, other) for run in await stage.runs(each)])


async def test_nothing_is_to_be_seen_before_the_moment(stage: Stage) -> None:
    job = await stage.minutely()
    readied = await _ready(stage, 1)
    assert (await stage.fires(job), await stage.runs(job)) == ([], [])
    assert (await stage.core.jobs.get(stage.me, job.id)).next_run_at == NOON + MINUTE
    await stage.tick(SHORTLY)
    [fire] = await stage.fires(job)
    assert ({fire.run_id}, fire.fire_at, fire.outcome, fire.reason) == (readied, NOON + MINUTE, "started", "on_time")
    [run] = await stage.runs(job)
    assert (run.state, run.created_at, run.available_at) == ("pending", NOON + MINUTE, NOON + MINUTE)
    assert (await stage.core.jobs.get(stage.me, job.id)).next_run_at == NOON + 2 * MINUTE


async def test_the_next_moment_is_readied_too(stage: Stage) -> None:
    job = await stage.minutely(overlap="allow")
    for number in range(1, 4):
        readied = await _ready(stage, 1)
        await stage.tick(SHORTLY)
        assert readied <= {fire.run_id for fire in await stage.fires(job)}
        assert await stage.fates(job) == ["started on_time"] * number
        await stage.work_off()


@pytest.mark.parametrize("back", [timedelta(seconds=30), timedelta(hours=1)])
async def test_a_clock_that_is_set_back_begins_nothing_and_holds_up_nobody(stage: Stage, back: timedelta) -> None:
    job = await stage.minutely()
    readied = await _ready(stage, 1)
    stage.clock.set_wall(stage.clock.now() - back)
    await stage.settle()
    await stage.agent.sql.stir()
    assert not stage.duty(Scheduler)._readying.is_ready
    assert await stage.fires(job) == []
    await stage.tick(NOON + MINUTE - stage.clock.now())
    assert await stage.fates(job) == ["started on_time"]
    assert readied.isdisjoint([run.id for run in await stage.runs(job)])


async def test_a_clock_that_is_set_forward_makes_them_misses(stage: Stage) -> None:
    job = await stage.minutely(policies={"catch_up": {"mode": "none"}})
    readied = await _ready(stage, 1)
    stage.clock.set_wall(NOON + 10 * MINUTE + timedelta(seconds=1))
    await stage.settle()
    assert await stage.fates(job) == [*["missed catch_up_none"] * 9, "started on_time"]
    assert readied.isdisjoint([run.id for run in await stage.runs(job)])


async def test_what_holds_up_the_store_for_too_long_is_dropped(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readying, "_LONGEST", 0.01)
    job = await stage.minutely()
    await _ready(stage, 1)
    await stage.agent.sql.stir()
    assert not stage.duty(Scheduler)._readying.is_ready
    await stage.tick(SHORTLY)
    assert await stage.fates(job) == ["started on_time"]


async def test_an_agent_that_stops_leaves_them_as_they_were(stage: Stage) -> None:
    job = await stage.minutely()
    await _ready(stage, 1)
    await stage.duty(Scheduler).stop()
    await stage.agent.sql.stir()
    assert await stage.fires(job) == []
    await stage.tick(SHORTLY)
    assert await stage.fates(job) == ["started on_time"]


class LayingBench(Bench):
    """Whatever is laid in it is kept; what cannot be is refused."""

    def __init__(self, *ids: str, refuses: int = 0) -> None:
        super().__init__(*ids)
        self.laid: list[str] = []
        self.decided: list[bool] = []
        self._refuses = refuses

    def places_ahead(self, depth: int) -> list[str]:
        return self.ids * depth

    def lay(self, worker_id: str, order: object) -> None:
        if len(self.laid) < self._refuses:
            self._refuses -= 1
            raise RuntimeError(f"nothing can be laid in worker {worker_id}")
        self.laid.append(order.run_id)  # type: ignore[attr-defined]

    def decide_laid(self, *, begin: bool) -> None:
        self.decided.append(begin)


def _man(stage: Stage, bench: LayingBench, monkeypatch: pytest.MonkeyPatch) -> LayingBench:
    dispatcher = stage.duty(Dispatcher)
    stage.man(bench)
    dispatcher._laying._executor = bench  # type: ignore[assignment]
    monkeypatch.setattr(dispatcher, "lease", _lease(dispatcher, bench))
    return bench


def _lease(dispatcher: Dispatcher, bench: LayingBench) -> Callable[[], object]:
    real = dispatcher.lease
    for _ in range(5):
        dispatcher._promising.note("command", 0.001)
    dispatcher._promising.may_wait = lambda _claimed: True  # type: ignore[method-assign]

    def lease() -> object:
        found = real()
        assert found is not None
        assert isinstance(found.places, Ahead)
        return found

    assert bench.ids
    return lease


async def test_their_runs_are_laid_and_begin_with_the_commit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [await stage.minutely(f"j{number}") for number in range(3)]
    bench = _man(stage, LayingBench("w1", "w2"), monkeypatch)
    readied = await _ready(stage, 3)
    assert ({*bench.laid}, bench.decided) == (readied, [])
    await stage.tick(SHORTLY)
    assert bench.decided == [True]
    for job in jobs:
        [run] = await stage.runs(job)
        assert (run.state, run.started_at, run.worker_id) == ("pending", None, None), "until it is said to begin"
        assert stage.agent.supervisor.watches(run.id)
    assert await stage.claim(5) == [], "they are promised"


async def test_what_is_dropped_is_watched_no_more(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await stage.minutely()
    bench = _man(stage, LayingBench("w1"), monkeypatch)
    readied = await _ready(stage, 1)
    assert stage.agent.supervisor.watches(*readied)
    await stage.core.jobs.pause(stage.me, job.id)
    assert bench.decided == [False]
    assert not stage.agent.supervisor.watches(*readied)


async def test_what_cannot_be_laid_is_given_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [await stage.minutely(f"j{number}") for number in range(3)]
    bench = _man(stage, LayingBench("w1", refuses=2), monkeypatch)
    await _ready(stage, 3)
    await stage.tick(SHORTLY)
    await stage.duty(Dispatcher).store_ends()
    claimed = await stage.claim(5)
    assert {each.run.job_id for each in claimed} | {
        run.job_id for job in jobs for run in await stage.runs(job) if run.id in bench.laid
    } == {job.id for job in jobs}
    assert len(claimed) == 3 - len(bench.laid)
    assert all(each.run.attempt == 1 for each in claimed), "nothing of it had begun"
