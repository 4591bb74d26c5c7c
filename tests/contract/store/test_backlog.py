"""Missed fires that are still to run: one row each, whoever decides, in whatever order."""

from __future__ import annotations

from datetime import timedelta

from agent.core.ports import Store
from agent.core.records import FireRow, Held, NewRun, NextTurn
from shared.ids import new_id
from shared.models import FireOutcome, FireReason, HeldDecision, Job
from tests.contract.store.making import MINUTE, NOW, Maker, completed

ALL = Held("main")


async def held(make: Maker, name: str, count: int, reason: FireReason = FireReason.AWAITING_TURN) -> Job:
    job = await make.job(name, next_fire_at=NOW)
    await make.settle(job, *(FireRow(NOW - (count - n) * MINUTE, FireOutcome.HELD, reason) for n in range(count)))
    return job


def of(turn: NextTurn) -> tuple[NextTurn, NewRun]:
    return turn, NewRun(new_id(), turn.job_id, "catch_up", turn.fire_at, NOW, chained=True)


async def test_the_oldest_of_each_job_is_next(store: Store, make: Maker) -> None:
    many, few = await held(make, "Many", 5), await held(make, "Few", 2)
    await held(make, "Waits", 9, FireReason.AWAITING_OPERATOR)
    turns = await store.next_turns(10)
    assert [(turn.job_id, turn.fire_at) for turn in turns] == [(many.id, NOW - 5 * MINUTE), (few.id, NOW - 2 * MINUTE)]
    assert await store.next_turns(1) == turns[:1]


async def test_a_turn_is_taken_once(store: Store, make: Maker) -> None:
    job = await held(make, "Job", 2)
    [turn] = await store.next_turns(10)
    [run] = await store.take_turns([of(turn)], NOW)
    assert (run.cause, run.fire_at, run.job_id) == ("catch_up", NOW - 2 * MINUTE, job.id)
    assert await store.take_turns([of(turn)], NOW) == []
    assert await store.next_turns(10) == [], "its run is active"
    [claimed] = await make.claim()
    assert await store.next_turns(10) == []
    await store.finish([completed(claimed)], NOW)
    assert [turn.fire_at for turn in await store.next_turns(10)] == [NOW - MINUTE]
    rows = await store.list_fires("main", job_id=job.id)
    assert [(row.outcome, row.run_id) for row in rows] == [("held", None), ("started", run.id)]


async def test_caught_up_runs_that_nobody_claims_leave_no_place(store: Store, make: Maker) -> None:
    for number in range(4):
        await held(make, f"Job {number}", 1)
    turns = await store.next_turns(3)
    await store.take_turns([of(turn) for turn in turns[:2]], NOW)
    assert len(await store.next_turns(3)) == 1
    await store.take_turns([of(turn) for turn in turns[2:]], NOW)
    assert await store.next_turns(3) == []
    await make.claim()
    assert len(await store.next_turns(3)) == 1


async def test_a_caught_up_run_behind_an_older_one_of_its_job_keeps_no_place(store: Store, make: Maker) -> None:
    busy = await held(make, "Busy", 1)
    await held(make, "Other", 1)
    await make.claimed(busy)
    [turn] = await store.next_turns(1)
    await store.take_turns([of(turn)], NOW)
    assert len(await store.next_turns(1)) == 1


async def test_what_was_decided_meanwhile_is_left_out(store: Store, make: Maker) -> None:
    jobs = [await held(make, name, 1) for name in ("Discarded", "Paused", "Deleted", "Sound")]
    turns = await store.next_turns(10)
    assert await store.discard(Held("main", (jobs[0].id,)), "anna", NOW) == HeldDecision(discarded=1)
    await store.set_paused(jobs[1].id, NOW, None, NOW)
    await store.delete_job(jobs[2].id, None, NOW)
    assert [run.job_id for run in await store.take_turns([of(turn) for turn in turns], NOW)] == [jobs[3].id]
    assert await store.count_held("main") == {"awaiting_operator": 0, "awaiting_turn": 1}


async def test_discarding_takes_both_kinds_and_leaves_what_has_started(store: Store, make: Maker) -> None:
    job = await held(make, "Job", 3)
    await store.take_turns([of(turn) for turn in await store.next_turns(1)], NOW)
    await held(make, "Other", 2, FireReason.AWAITING_OPERATOR)
    assert (await store.discard(ALL, "anna", NOW)).discarded == 4
    assert (await store.discard(ALL, "bert", NOW)).discarded == 0
    rows = await store.list_fires("main", job_id=job.id)
    assert [(row.outcome, row.decided_by) for row in rows] == [
        ("missed", "anna"),
        ("missed", "anna"),
        ("started", None),
    ]
    assert (await store.release(ALL, "bert", NOW, latest_only=False)) == HeldDecision()


async def test_other_accounts_are_not_touched(store: Store, make: Maker) -> None:
    job = await held(make, "Job", 2, FireReason.AWAITING_OPERATOR)
    other = Held("other", (job.id,))
    assert await store.release(other, "eve", NOW, latest_only=False) == HeldDecision()
    assert await store.discard(other, "eve", NOW) == HeldDecision()
    assert (await store.backlog("other"), [each.waiting for each in await store.backlog("main")]) == ([], [2])


async def test_late_jobs_come_page_by_page(store: Store, make: Maker) -> None:
    same = [await make.job(f"same {number}", next_fire_at=NOW - 5 * MINUTE) for number in range(3)]
    early = await make.job("early", next_fire_at=NOW - 6 * MINUTE)
    await make.job("on time", next_fire_at=NOW)
    found, last = [], None
    while page := await store.late_jobs(NOW - MINUTE, last, 2):
        found += [due.job.id for due in page]
        last = page[-1]
    assert (found[0], sorted(found[1:])) == (early.id, sorted(job.id for job in same))


async def test_a_due_job_knows_that_it_is_catching_up(store: Store, make: Maker) -> None:
    job = await held(make, "Job", 1)
    assert (await store.due_state("main", job.id)).catching_up
    await store.take_turns([of(turn) for turn in await store.next_turns(1)], NOW)
    state = await store.due_state("main", job.id)
    assert (state.catching_up, state.caught_up_at, state.active) == (True, NOW, 1)
    [claimed] = await make.claim()
    await store.finish([completed(claimed)], NOW)
    assert not (await store.due_state("main", job.id)).catching_up


async def test_up_to_when_is_held_is_kept(store: Store) -> None:
    assert await store.held_up_to() is None
    for moment in (NOW, NOW + timedelta(microseconds=1)):
        await store.hold_up_to(moment)
        assert await store.held_up_to() == moment
