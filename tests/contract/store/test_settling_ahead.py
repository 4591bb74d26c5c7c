"""Fires written before their moment, all but the commit: until then they are not, and whoever writes ends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agent.core.ports.fires import AheadOfTime
from agent.core.records import Ahead, FireRow, Lease, RunUpdate, SettledJob
from agent.store import open_store
from agent.store.engine import writer
from agent.store.store import SqlStore
from shared.clock import ManualClock
from shared.ids import new_id
from shared.models import Event, Job
from tests.contract.store.making import LEASE, MINUTE, NOW, Maker, completed, fence, started

MOMENT = NOW + MINUTE


@pytest.fixture
async def job(make: Maker) -> Job:
    return await make.job(next_fire_at=MOMENT)


@pytest.fixture
async def told(store: SqlStore, job: Job) -> AsyncIterator[list[str]]:
    """What is heard, in its order: events, and what became of what was withheld."""
    heard: list[str] = []

    def hear(events: list[Event]) -> None:
        heard.extend(event.kind for event in events)

    stop = store.subscribe(hear)  # type: ignore[arg-type]
    yield heard
    stop()


def _ahead(store: SqlStore, told: list[str], *jobs: Job, rows: list[FireRow] | None = None) -> AheadOfTime:
    settled = [
        SettledJob(job.id, job.version, rows or [started(job, MOMENT)], MOMENT, MOMENT + MINUTE, foreseen_for=MOMENT)
        for job in jobs
    ]
    places = Ahead(["w1"] * 9, lambda _claimed: True)
    return store.settle_ahead(
        settled, MOMENT, lambda: Lease("agent-1", LEASE, places), lambda kept: told.append(f"kept {kept}")
    )


async def _marks(store: SqlStore, job: Job) -> tuple[object, ...]:
    """What is to be seen of its fires."""
    fires = await store.list_fires("main", job_id=job.id)
    return len(fires), await store.next_due(), await store.count_by_state("main")


async def test_nothing_is_to_be_seen_before_the_commit_and_all_of_it_after(
    store: SqlStore, make: Maker, job: Job, told: list[str]
) -> None:
    before = await _marks(store, job)
    ahead = _ahead(store, told, job)
    [promised] = await ahead.written or []
    assert (promised.promised, promised.run.worker_id, promised.run.fire_at) == (True, "w1", MOMENT)
    assert (await _marks(store, job), told) == (before, [])
    ahead.commit()
    assert await ahead.over
    await store.stir()
    assert told == ["kept True", "run.created", "fire.recorded"]
    [fire] = await store.list_fires("main", job_id=job.id)
    assert (fire.run_id, fire.fire_at, fire.outcome, fire.reason) == (promised.run.id, MOMENT, "started", "on_time")
    assert await store.next_due() == MOMENT + MINUTE
    assert (await make.read(promised)).state == "pending", "until its worker says that it begins"
    assert await make.claim("w2", now=MOMENT) == [], "it is promised"
    await store.finish([completed(promised, MOMENT)], MOMENT)
    assert (await make.read(promised)).state == "completed"


async def test_a_crowd_is_told_when_it_has_begun_or_when_somebody_writes(
    store: SqlStore, make: Maker, job: Job, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_QUIET_EACH", 60.0)
    monkeypatch.setattr(writer, "_QUIET", 60.0)
    ahead = _ahead(store, told, job)
    assert await ahead.written
    ahead.commit()
    assert await ahead.over
    biding = asyncio.ensure_future(store.stir())
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert (told, biding.done()) == (["kept True"], False)
    assert len(await store.list_fires("main", job_id=job.id)) == 1, "it is stored"
    await make.job("Other")
    assert told == ["kept True", "run.created", "fire.recorded", "job.created"]
    await biding


async def test_what_somebody_writes_meanwhile_ends_it(store: SqlStore, make: Maker, job: Job, told: list[str]) -> None:
    before = await _marks(store, job)
    ahead = _ahead(store, told, job)
    assert await ahead.written
    other = await make.job("Other")
    assert not await ahead.over
    ahead.commit()
    await store.stir()
    assert told == ["kept False", "job.created"]
    assert other.id
    assert await _marks(store, job) == before


async def test_what_is_written_while_it_is_being_written_ends_it_too(
    store: SqlStore, make: Maker, job: Job, told: list[str]
) -> None:
    ahead = _ahead(store, told, job)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert ahead.phase == "writing"  # type: ignore[attr-defined]
    await make.job("Other")
    assert (await ahead.written, await ahead.over) == (None, False)


async def test_it_comes_after_all_that_waits_already(store: SqlStore, make: Maker, job: Job, told: list[str]) -> None:
    other = asyncio.ensure_future(make.job("Other"))
    await asyncio.sleep(0)
    ahead = _ahead(store, told, job)
    assert await ahead.written
    assert other.done()
    ahead.drop()
    assert not await ahead.over


async def test_dropped_before_its_turn_it_is_over_at_once(
    store: SqlStore, make: Maker, job: Job, told: list[str]
) -> None:
    other = asyncio.ensure_future(make.job("Other"))
    await asyncio.sleep(0)
    ahead = _ahead(store, told, job)
    ahead.drop()
    assert (ahead.written.result(), ahead.over.result(), other.done()) == (None, False, False)
    await other
    again = _ahead(store, told, job)
    assert await again.written
    again.drop()
    assert not await again.over


async def test_what_running_work_says_waits_for_it(store: SqlStore, make: Maker, job: Job, told: list[str]) -> None:
    running = await make.claimed(await make.job("Other"))
    given = await make.claimed(await make.job("Another"), "w2")
    ahead = _ahead(store, told, job)
    assert await ahead.written
    says: list[Callable[[], Awaitable[Any]]] = [
        lambda: store.update_runs([RunUpdate(fence(running), warnings=["w"])], NOW),
        lambda: store.extend_leases([fence(running)], MOMENT + LEASE, NOW),
        lambda: store.finish([completed(given)], NOW),
        lambda: store.give_back([fence(running)], NOW),
        store.stir,
    ]
    waiting = [asyncio.ensure_future(say()) for say in says]
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert not any(each.done() for each in waiting)
    ahead.commit()
    assert await ahead.over
    await asyncio.gather(*waiting)
    assert (await make.read(given)).state == "completed"


async def test_what_is_no_more_as_it_was_is_left(store: SqlStore, make: Maker, job: Job, told: list[str]) -> None:
    """Its rules are those of every settlement."""
    due_later = await make.job("Later", next_fire_at=MOMENT + MINUTE)
    active = await make.job("Active", next_fire_at=MOMENT)
    run = await make.run(active)
    ahead = _ahead(store, told, job, due_later, active)
    claimed = await ahead.written or []
    ahead.commit()
    assert await ahead.over
    fires = await store.list_fires("main")
    assert [fire.job_id for fire in fires] == [job.id]
    assert {each.run.id for each in claimed} == {fires[0].run_id, run.id}, "the older one may wait there as well"


async def test_one_that_cannot_be_written_harms_nobody(store: SqlStore, make: Maker, job: Job, told: list[str]) -> None:
    broken = FireRow(MOMENT, None, None)  # type: ignore[arg-type]
    ahead = _ahead(store, told, job, rows=[broken])
    assert (await ahead.written, await ahead.over) == (None, False)
    assert told == ["kept False"]
    assert await make.job("Other")
    again = _ahead(store, told, job)
    assert await again.written
    again.commit()
    assert await again.over


async def test_where_nobody_says_who_may_have_the_runs_the_store_goes_on(
    store: SqlStore, make: Maker, job: Job, told: list[str]
) -> None:
    def lease() -> Lease | None:
        raise RuntimeError("nobody knows")

    settled = SettledJob(job.id, job.version, [started(job, MOMENT)], MOMENT, None, foreseen_for=MOMENT)
    ahead = store.settle_ahead([settled], MOMENT, lease, lambda kept: told.append(f"kept {kept}"))
    assert (await ahead.written, await ahead.over) == (None, False)
    assert told == ["kept False"]
    assert await make.job("Other")


async def test_there_is_one_at_a_time(store: SqlStore, job: Job, told: list[str]) -> None:
    first, second = _ahead(store, told, job), _ahead(store, told, job)
    assert (await second.written, await second.over) == (None, False)
    assert await first.written
    first.drop()
    first.commit()
    assert not await first.over
    assert told == ["kept False"]


async def test_a_store_that_closes_forgets_it(engine: str, tmp_path: Path, clock: ManualClock) -> None:
    assert engine == "sqlite", "the file is this engine's"
    store = await open_store(tmp_path / "other.db", clock=clock, new_id=new_id)
    await store.ensure_account("main", "anna-id", "anna", NOW)
    job = await Maker(store).job(next_fire_at=MOMENT)
    ahead = _ahead(store, [], job)
    assert await ahead.written
    await store.close()
    assert not await ahead.over
    store = await open_store(tmp_path / "other.db", clock=clock, new_id=new_id)
    assert (await store.list_fires("main"), await Maker(store).runs()) == ([], [])
    assert await store.next_due() == MOMENT
    await store.close()
