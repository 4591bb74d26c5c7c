"""What is over and old goes, and nothing else: not what is active, held, or among a job's newest."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from agent.core.ports import Store
from agent.core.records import FireRow, NewRun, RunUpdate
from agent.store import SqlStore, open_store, pruning
from agent.store.engine import space
from shared.clock import ManualClock
from shared.errors import NotFound
from shared.ids import new_id
from shared.models import FireOutcome, FireReason, Job, Run
from tests.contract.store.making import NOW, Maker, completed, failed, fence, started

DAY = timedelta(days=1)
LATER = NOW + 100 * DAY


async def ended_run(make: Maker, job: Job, at: datetime = NOW, **fields: object) -> Run:
    run = await make.run(job, now=at, due=at, **fields)
    [claimed] = await make.claim(now=at)
    await make.store.update_runs([RunUpdate(fence(claimed), checkpoint={"at": 1}, steps=[STEP])], at)
    await make.store.finish([failed(claimed, "the disk is full", at)], at)
    return await make.read(run)


STEP = {
    "position": 0,
    "key": "a",
    "title": "A",
    "state": "running",
    "at": NOW.isoformat(),
    "message": "",
    "result": None,
}


async def prune(store: Store, before: datetime, spare: int = 0) -> int:
    """One whole pass."""
    position: int | None = 0
    gone = 0
    while position is not None:
        found = await store.old_runs(position, before, spare)
        gone += await store.delete_runs(found.numbers)
        position = found.position
    return gone


async def test_runs_that_ended_before_go_with_all_that_is_theirs(store: Store, make: Maker) -> None:
    job = await make.job()
    old, young = await ended_run(make, job), await ended_run(make, job, NOW + DAY)
    assert await prune(store, NOW + DAY) == 1
    assert [run.id for run in await make.runs()] == [young.id]
    assert [run.id for run in await make.runs('"disk is full"')] == [young.id]
    assert (await store.attempts(old.id), await store.steps(old.id)) == ([], [])
    assert await store.count_by_state("main") == dict.fromkeys(await store.count_by_state("main"), 0) | {"failed": 1}


async def test_what_is_not_over_stays_however_old(store: Store, make: Maker) -> None:
    job = await make.job()
    pending, running = await make.run(job), await make.run(job)
    await make.claim()
    assert await prune(store, LATER) == 0
    assert await store.delete_runs([pending.number, running.number]) == 0
    assert len(await make.runs()) == 2


async def test_the_newest_of_each_job_are_spared(store: Store, make: Maker) -> None:
    often, seldom = await make.job("often"), await make.job("seldom")
    kept = [await ended_run(make, seldom)]
    gone = [await ended_run(make, often) for _ in range(3)]
    kept += [await ended_run(make, often) for _ in range(2)]
    assert await prune(store, LATER, spare=2) == len(gone)
    assert [run.id for run in await make.runs()] == [run.id for run in kept[::-1]]


async def test_a_pass_goes_on_where_a_look_ended(store: Store, make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "LOOKED_AT", 2)
    job = await make.job()
    for _ in range(5):
        await ended_run(make, job)
    waiting = await make.run(job)
    young = await ended_run(make, await make.job("another"), LATER)
    assert await prune(store, LATER) == 5
    assert {run.id for run in await make.runs()} == {waiting.id, young.id}


async def test_a_pass_is_over_where_the_young_begin(store: Store, make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "LOOKED_AT", 2)
    job = await make.job()
    for _ in range(3):
        await ended_run(make, job)
    assert (await store.old_runs(0, NOW - DAY, 0)).position is None


async def test_the_surplus_is_the_oldest_that_are_over(store: Store, make: Maker) -> None:
    job = await make.job()
    ended = [await ended_run(make, job) for _ in range(5)]
    await make.run(job)
    assert await store.surplus_runs(5, 10) == []
    assert await store.surplus_runs(3, 10) == [ended[0].number, ended[1].number]
    assert await store.surplus_runs(0, 1) == [ended[0].number]


async def test_what_is_gone_is_remembered_until_its_log_is_gone_too(store: Store, make: Maker) -> None:
    job = await make.job()
    runs = [await ended_run(make, job) for _ in range(3)]
    await store.delete_runs([run.number for run in runs])
    assert sorted(await store.gone_runs(10)) == sorted(run.id for run in runs)
    await store.forget_gone_runs([runs[0].id])
    assert sorted(await store.gone_runs(10)) == sorted(run.id for run in runs[1:])


async def test_a_lineage_says_that_its_origin_is_gone(store: Store, make: Maker) -> None:
    job = await make.job()
    origin = await ended_run(make, job)
    again = await make.run(job, cause="rerun", original_run_id=origin.id)
    assert (again.original_run_id, again.original_gone) == (origin.id, False)
    await store.delete_runs([origin.number])
    again = await make.read(again)
    assert (again.original_run_id, again.original_gone) == (origin.id, True)
    with pytest.raises(NotFound, match="old ones are deleted"):
        await make.read(origin)
    with pytest.raises(NotFound, match=r"there is no run \S+$"):
        await store.get_run("main", new_id())


async def test_numbers_are_not_given_again(store: Store, make: Maker) -> None:
    job = await make.job()
    newest = [await ended_run(make, job) for _ in range(2)][-1]
    await prune(store, LATER)
    assert (await make.run(job)).number == newest.number + 1


async def test_the_ledger_is_pruned_and_the_high_water_mark_outlives_it(store: Store, make: Maker) -> None:
    job = await make.job(next_fire_at=NOW)
    held = FireRow(NOW + DAY, FireOutcome.HELD, FireReason.AWAITING_OPERATOR)
    await make.settle(job, started(job, NOW), held, next_fire_at=LATER, high_water=NOW + DAY)
    found = await store.old_fires(0, LATER, 0)
    every = [fire.id for fire in await store.list_fires("main")]
    assert await store.delete_fires(every) == len(found.numbers) == 1
    assert [fire.outcome for fire in await store.list_fires("main")] == [FireOutcome.HELD]
    state = await store.due_state("main", job.id)
    assert (state.high_water, state.job.next_run_at) == (NOW + DAY, LATER)


async def test_events_are_pruned_by_age_too(store: Store, make: Maker) -> None:
    job = await make.job()
    first = await store.last_event_id()
    await make.run(job, now=NOW + DAY)
    assert await store.prune_events(1000, NOW) == 0
    assert await store.prune_events(1000, NOW + DAY) == first
    assert await store.events_after("main", first - 1, 10) is None
    kept = await store.events_after("main", first, 10)
    assert kept is not None
    assert [event.kind for event in kept] == ["run.created"]
    assert await store.prune_events(1000, LATER) == 1
    assert await store.last_event_id() == first + 1


@pytest.fixture
async def sqlite(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqlStore]:
    store = await open_store(tmp_path / "fresh.db", clock=clock, new_id=new_id)
    yield store
    await store.close()


async def test_freed_space_is_given_back_a_little_at_a_time(sqlite: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "_WORTH", 0)
    for number in range(20):
        await sqlite.put_secret("main", str(number), b"x" * 500_000, NOW)
    full = await sqlite.size()
    for number in range(20):
        await sqlite.delete_secret("main", str(number))
    emptied = await sqlite.size()
    assert (emptied.total, emptied.free > 9_000_000) == (full.total, True)
    turns = 1
    while await sqlite.give_back_space():
        turns += 1
    assert turns > 3
    assert (await sqlite.size()).total < full.total / 5


async def test_every_look_goes_by_index(sqlite: SqlStore, tmp_path: Path) -> None:
    make = Maker(sqlite)
    await make.store.ensure_account("main", "anna-id", "anna", NOW)
    sent: list[str] = []
    explaining = sqlite3.connect(tmp_path / "fresh.db", check_same_thread=False)

    def explain(_c: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        if statement.lstrip().startswith(("SELECT", "DELETE")):
            one = parameters[0] if isinstance(parameters, list) else parameters
            sent.extend(row[3] for row in explaining.execute(f"EXPLAIN QUERY PLAN {statement}", one))

    job = await make.job(next_fire_at=NOW)
    run = await ended_run(make, job)
    await make.settle(job, started(job, NOW), next_fire_at=LATER)
    for engine in (sqlite._writer._engine, sqlite._readers.engine):
        sa.event.listen(engine, "before_cursor_execute", explain)
    for look in (sqlite.old_runs, sqlite.old_fires):
        await look(0, LATER, 20)
    await sqlite.delete_runs([run.number])
    await sqlite.surplus_runs(0, 10)
    await sqlite.gone_runs(10)
    scans = [plan for plan in sent if plan.startswith("SCAN") and "INDEX" not in plan and "run_counts" not in plan]
    # Walks in the order of the key, from the oldest up, that stop where there is enough.
    assert set(scans) <= {"SCAN runs", "SCAN gone_runs"}
    assert not [plan for plan in sent if "ORDER BY" in plan]
    assert any("ix_runs_job" in plan for plan in sent)
    assert any("ix_fires_job" in plan for plan in sent)


async def test_counts_and_pages_stay_right_while_it_runs(store: Store, make: Maker) -> None:
    job = await make.job()
    runs = [await ended_run(make, job) for _ in range(12)]
    page = await make.runs(limit=5)
    await store.delete_runs([run.number for run in runs[:6]])
    rest = await make.runs(limit=10, before=page[-1].number)
    assert [run.id for run in page + rest] == [run.id for run in runs[:5:-1]]
    assert (await store.count_by_state("main"))["failed"] == 6
    await make.store.insert_runs([NewRun(new_id(), job.id, "api", None, NOW)], NOW)
    [claimed] = await make.claim()
    await store.finish([completed(claimed)], NOW)
    assert (await store.count_by_state("main"))["completed"] == 1
