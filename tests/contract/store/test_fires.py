from __future__ import annotations

from datetime import timedelta

import pytest

from agent.core.ports import Store
from agent.core.records import FireRow, SettledJob
from shared.errors import NotFound
from shared.models import FireOutcome, FireReason
from shared.states import RunState
from tests.contract.store.making import MINUTE, NOW, Maker, started


async def test_due_jobs_come_earliest_first_and_only_when_due(store: Store, make: Maker) -> None:
    for name, offset in (("later", 1), ("second", -1), ("first", -2), ("exact", 0)):
        await make.job(name, next_fire_at=NOW + offset * MINUTE)
    await make.job("disabled", next_fire_at=NOW - MINUTE, enabled=False)
    gone = await make.job("deleted", next_fire_at=NOW - MINUTE)
    await store.delete_job(gone.id, None, NOW)
    assert [due.job.name for due in await store.due_jobs(NOW, 10)] == ["first", "second", "exact"]
    assert [due.job.name for due in await store.due_jobs(NOW, 2)] == ["first", "second"]
    assert await store.next_due() == NOW - 2 * MINUTE


async def test_a_due_job_knows_its_active_and_queued_runs(store: Store, make: Maker) -> None:
    job = await make.job(next_fire_at=NOW)
    await make.claimed(job)
    await make.run(job)
    await make.run(job)
    [due] = await store.due_jobs(NOW, 10)
    assert (due.active, due.queued, due.created_at, due.paused_since) == (3, 2, NOW, None)
    with pytest.raises(NotFound):
        await store.due_state("other", job.id)


async def test_settling_writes_ledger_runs_and_marks_together(store: Store, make: Maker) -> None:
    job = await make.job(next_fire_at=NOW, policies={"retry": {"attempts": 4}, "priority": 7})
    skipped = FireRow(NOW - MINUTE, FireOutcome.SKIPPED, FireReason.OVERLAP_ACTIVE)
    [run] = await make.settle(job, skipped, started(job, NOW), next_fire_at=NOW + MINUTE)
    assert (run.state, run.fire_at, run.max_attempts, run.priority, run.version) == (RunState.PENDING, NOW, 4, 7, 1)
    fires = await store.list_fires("main", job_id=job.id)
    assert [(fire.fire_at, fire.outcome, fire.run_id) for fire in fires] == [
        (NOW, "started", run.id),
        (NOW - MINUTE, "skipped", None),
    ]
    state = await store.due_state("main", job.id)
    assert (state.high_water, state.job.next_run_at, state.job.version) == (NOW, NOW + MINUTE, job.version)


async def test_a_moment_is_decided_once(store: Store, make: Maker) -> None:
    job = await make.job(next_fire_at=NOW)
    twice = SettledJob(job.id, job.version, [started(job, NOW)], NOW, NOW)
    again = SettledJob(job.id, job.version, [started(job, NOW)], NOW, NOW)
    assert len(await store.settle([twice, again], NOW)) == 1
    assert await make.settle(job, started(job, NOW)) == []
    assert len(await store.list_fires("main")) == 1
    assert len(await make.runs()) == 1


async def test_a_held_moment_is_not_settled_again(store: Store, make: Maker) -> None:
    """Two may look at one job at once; what one of them held, the other must not start."""
    job = await make.job(next_fire_at=NOW)
    await make.settle(job, FireRow(NOW, FireOutcome.HELD, FireReason.AWAITING_OPERATOR))
    assert await make.settle(job, started(job, NOW)) == []
    [fire] = await store.list_fires("main")
    assert (fire.outcome, fire.run_id) == (FireOutcome.HELD, None)


async def test_a_job_whose_version_moved_is_left_as_it_is(store: Store, make: Maker) -> None:
    job = await make.job(next_fire_at=NOW)
    other = await make.job("Other", next_fire_at=NOW)
    await store.set_paused(job.id, NOW, NOW, NOW)
    stale = SettledJob(job.id, job.version, [started(job, NOW)], NOW + MINUTE, None)
    valid = SettledJob(other.id, other.version, [started(other, NOW)], NOW, None)
    runs = await store.settle([stale, valid], NOW)
    assert [run.job_id for run in runs] == [other.id]
    assert (await store.due_state("main", job.id)).job.next_run_at == NOW


async def test_replacing_the_running_marks_it_and_cancels_what_waits(store: Store, make: Maker) -> None:
    job = await make.job(next_fire_at=NOW, policies={"overlap": "cancel_running", "kill_grace": "5 s"})
    running, waiting = await make.claimed(job), await make.run(job)
    [fresh] = await make.settle(job, started(job, NOW), cancel_running=True)
    marked = await make.read(running)
    assert (marked.state, marked.cancel_requested_at) == (RunState.RUNNING, NOW)
    assert marked.cancel_deadline_at == NOW + timedelta(seconds=5)
    assert (await make.read(waiting)).state == RunState.CANCELLED
    assert (await make.read(fresh)).state == RunState.PENDING


async def test_what_is_caught_up_in_the_same_settlement_is_not_replaced(store: Store, make: Maker) -> None:
    """A long absence is settled in parts: the last cancels what was active before, not what an earlier one made."""
    job = await make.job(next_fire_at=NOW, policies={"overlap": "cancel_running"})
    before = await make.run(job, now=NOW - MINUTE, cause="catch_up")
    [caught_up] = await make.settle(job, started(job, NOW - MINUTE, cause="catch_up"))
    [fresh] = await make.settle(job, started(job, NOW), cancel_running=True)
    assert (await make.read(before)).state == RunState.CANCELLED
    assert {(await make.read(run)).state for run in (caught_up, fresh)} == {RunState.PENDING}


async def test_the_mark_up_to_which_all_is_settled_never_goes_back(store: Store, make: Maker) -> None:
    job = await make.job(next_fire_at=NOW)
    await make.settle(job, started(job, NOW), next_fire_at=NOW + MINUTE)
    await make.settle(job, high_water=NOW - MINUTE, next_fire_at=NOW + MINUTE)
    assert (await store.due_state("main", job.id)).high_water == NOW


async def test_jobs_of_other_zone_data_are_found_until_they_are_settled(store: Store, make: Maker) -> None:
    old = [await make.job(f"old {number}", next_fire_at=NOW, zone="2025b") for number in range(3)]
    newer = await make.job("newer", next_fire_at=NOW, zone="2026b")
    await make.job("current", next_fire_at=NOW, zone="2026a")
    await make.job("no fire", zone="2025b")
    found = await store.stale_zone_jobs("2026a", 10)
    assert {due.job.id for due in found} == {job.id for job in [*old, newer]}
    assert len(await store.stale_zone_jobs("2026a", 2)) == 2
    for job in [*old, newer]:
        await make.settle(job, next_fire_at=NOW + MINUTE, zone_data_version="2026a")
    assert await store.stale_zone_jobs("2026a", 10) == []


async def test_the_ledger_is_paged_by_id_and_filtered(store: Store, make: Maker) -> None:
    job, other = await make.job(next_fire_at=NOW), await make.job("Other", next_fire_at=NOW)
    rows = [started(job, NOW + number * MINUTE) for number in range(5)]
    await make.settle(job, *rows)
    await make.settle(other, FireRow(NOW, FireOutcome.MISSED, FireReason.CATCH_UP_NONE, count=3, until=NOW + MINUTE))
    first = await store.list_fires("main", job_id=job.id, limit=3)
    rest = await store.list_fires("main", job_id=job.id, limit=3, before=first[-1].id)
    assert [fire.fire_at for fire in first + rest] == [row.fire_at for row in reversed(rows)]
    [missed] = await store.list_fires("main", outcome="missed")
    assert (missed.job_id, missed.count, missed.until) == (other.id, 3, NOW + MINUTE)
    assert await store.list_fires("other") == []
