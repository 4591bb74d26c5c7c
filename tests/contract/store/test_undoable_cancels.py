"""Cancels that wait: marked, withdrawn or carried out, and in the store all the while."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from agent.core.ports import Store
from agent.store import open_store
from shared.clock import ManualClock
from shared.ids import new_id
from shared.models import Event, Run
from shared.states import RunState
from tests.contract.store.making import MINUTE, NOW, Maker, retrying

DUE = NOW + timedelta(seconds=10)
MANY = 100


async def leaving(store: Store, *runs: Run, by: str = "anna") -> list[Run]:
    return await store.request_cancel([run.id for run in runs], by, NOW + MINUTE, NOW, due=DUE)


async def test_what_waits_is_marked_and_what_runs_is_asked_at_once(store: Store, make: Maker) -> None:
    job = await make.job()
    running, back = await make.claimed(job, "w1"), await make.claimed(job, "w2")
    await store.finish([retrying(back, NOW)], NOW)
    pending = await make.run(job)
    told: list[Event] = []
    store.subscribe(told.extend)
    changed = await store.request_cancel(
        [running.run.id, back.run.id, pending.id, "no run"], "anna", NOW + MINUTE, NOW, due=DUE
    )
    marks = {run.id: (run.state, run.cancel_requested_at, run.cancel_due_at, run.cancel_deadline_at) for run in changed}
    assert marks == {
        running.run.id: (RunState.RUNNING, NOW, None, NOW + MINUTE),
        back.run.id: (RunState.RETRYING, NOW, DUE, None),
        pending.id: (RunState.PENDING, NOW, DUE, None),
    }
    assert (await make.read(pending)).version == pending.version + 1
    assert [await make.read(run) for run in changed] == changed
    heard = {event.subject_id: event.data["cancelDueAt"] for event in told if event.kind == "run.changed"}
    assert heard == {running.run.id: None, back.run.id: "2026-03-01T12:00:10Z", pending.id: "2026-03-01T12:00:10Z"}


async def test_it_is_not_claimed_while_it_waits_and_holds_up_only_what_is_chained_to_it(
    store: Store, make: Maker
) -> None:
    job = await make.job()
    first, chained = await make.run(job), await make.run(job, chained=True)
    other = await make.run(await make.job("Other"))
    await leaving(store, first)
    assert [each.run.id for each in await make.claim("w1", "w2", "w3")] == [other.id]
    assert (await make.read(first)).waiting_for is None
    await store.carry_out_cancels(DUE, MANY)
    assert [each.run.id for each in await make.claim("w1", "w2", "w3")] == [chained.id]


async def test_asking_again_does_not_put_it_off(store: Store, make: Maker) -> None:
    run = await make.run(await make.job())
    await leaving(store, run)
    assert await store.request_cancel([run.id], "bob", None, NOW + MINUTE, due=DUE + MINUTE) == []
    assert (await make.read(run)).cancel_due_at == DUE


async def test_withdrawn_it_waits_as_before(store: Store, make: Maker) -> None:
    job = await make.job()
    running, run = await make.claimed(await make.job("Other")), await make.run(job)
    await leaving(store, run, running.run)
    [back] = await store.withdraw_cancels([run.id, running.run.id, "no run"], NOW)
    assert (back.id, back.state, back.cancel_requested_at, back.cancel_due_at) == (run.id, run.state, None, None)
    assert back.version == run.version + 2
    assert await store.withdraw_cancels([run.id], NOW) == []
    assert await store.next_cancel_due() is None
    assert await store.carry_out_cancels(DUE + MINUTE, MANY) == []
    [claimed] = await make.claim()
    assert (claimed.run.id, claimed.run.cancel_requested_at) == (run.id, None)


async def test_due_ones_are_cancelled_earliest_first_in_the_name_of_who_asked(store: Store, make: Maker) -> None:
    job = await make.job()
    late, early, never = [await make.run(job) for _ in range(3)]
    await store.request_cancel([late.id], "anna", None, NOW, due=DUE + MINUTE)
    await store.request_cancel([early.id], "bob", None, NOW, due=DUE)
    assert await store.next_cancel_due() == DUE
    assert await store.carry_out_cancels(DUE - timedelta(microseconds=1), MANY) == []
    [cancelled] = await store.carry_out_cancels(DUE + 2 * MINUTE, 1)
    assert (cancelled.id, cancelled.state, cancelled.finished_at) == (early.id, RunState.CANCELLED, DUE + 2 * MINUTE)
    assert (cancelled.cancel_requested_at, cancelled.cancel_due_at) == (NOW, None)
    assert cancelled.error is not None
    assert cancelled.error.message == "cancelled by bob while it waited"
    assert await store.next_cancel_due() == DUE + MINUTE
    assert [run.id for run in await store.carry_out_cancels(DUE + 2 * MINUTE, MANY)] == [late.id]
    assert [run.id for run in await make.runs('"cancelled by anna"')] == [late.id]
    assert (await make.read(never)).state == RunState.PENDING
    assert await store.withdraw_cancels([early.id, late.id], DUE + 2 * MINUTE) == []


@pytest.mark.parametrize("how", ["at once", "its job is deleted"])
async def test_another_cancel_takes_the_place_of_one_that_waits(store: Store, make: Maker, how: str) -> None:
    job = await make.job()
    run = await make.run(job)
    await leaving(store, run)
    if how == "at once":
        await store.request_cancel([run.id], "bob", None, NOW)
    else:
        await store.delete_job(job.id, None, NOW)
    ended = await make.read(run)
    assert (ended.state, ended.cancel_due_at) == (RunState.CANCELLED, None)
    assert await store.next_cancel_due() is None


async def test_a_cancel_that_waits_outlives_the_store_being_closed(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "store.db"
    first = await open_store(path, clock=clock, new_id=new_id)
    await first.ensure_account("main", "anna-id", "anna", NOW)
    make = Maker(first)
    kept, back = [await make.run(await make.job(name)) for name in ("Kept", "Back")]
    await leaving(first, kept, back)
    await first.close()
    second = await open_store(path, clock=clock, new_id=new_id)
    assert await second.next_cancel_due() == DUE
    await second.withdraw_cancels([back.id], NOW)
    assert [run.id for run in await second.carry_out_cancels(DUE, MANY)] == [kept.id]
    assert [claimed.run.id for claimed in await Maker(second).claim("w1", "w2")] == [back.id]
    await second.close()
