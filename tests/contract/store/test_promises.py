"""Runs promised to workers that are busy: pending to the world, held by their fence, until they begin."""

from __future__ import annotations

import pytest

from agent.core.ports import Store
from agent.core.records import Ahead, ClaimedRun, RunUpdate
from shared.models import Event, Job
from tests.contract.store.making import LEASE, MINUTE, NOW, Maker, completed, fence, retrying


@pytest.fixture
async def job(make: Maker) -> Job:
    return await make.job(policies={"overlap": "allow"})


async def _claim(store: Store, workers: list[str], ahead: list[str], *, short: str = "") -> list[ClaimedRun]:
    """`short`: runs of jobs with this in their name may wait."""
    promises = Ahead(ahead, lambda claimed: short in claimed.run.job_name)
    return await store.claim(workers, "agent-1", NOW + LEASE, NOW, promises)


async def test_what_is_promised_waits_to_the_world_and_is_nobody_elses(store: Store, make: Maker, job: Job) -> None:
    runs = [await make.run(job) for _ in range(3)]
    heard: list[Event] = []
    store.subscribe(heard.extend)
    first, second, third = await _claim(store, ["w1"], ["w1", "w2"])
    assert [(each.run.id, each.run.worker_id, each.promised) for each in (first, second, third)] == [
        (runs[0].id, "w1", False),
        (runs[1].id, "w1", True),
        (runs[2].id, "w2", True),
    ]
    assert (second.run.attempt, second.run.started_at, second.run.version) == (1, NOW, 2), "as it is when it begins"
    assert await make.read(second) == runs[1], "nothing of it has changed"
    assert [event.subject_id for event in heard] == [first.run.id]
    assert await make.claim("w3") == []


async def test_it_begins_when_its_worker_says_so(store: Store, make: Maker, job: Job) -> None:
    await make.run(job)
    [promised] = await _claim(store, [], ["w1"])
    heard: list[Event] = []
    store.subscribe(heard.extend)
    assert await store.update_runs([RunUpdate(fence(promised), started_at=NOW + MINUTE, warnings=["w"])], NOW) == []
    run = await make.read(promised)
    assert (run.state, run.version, run.attempt, run.worker_id) == ("running", 2, 1, "w1")
    assert (run.started_at, run.warnings) == (NOW + MINUTE, ["w"])
    assert {event.data["state"] for event in heard} == {"running"}
    await store.give_back([fence(promised)], NOW)
    assert await make.read(promised) == run, "what has begun is not given back"


@pytest.mark.parametrize("started", [NOW + MINUTE, None])
async def test_what_is_over_at_once_is_told_move_by_move(store: Store, make: Maker, job: Job, started: object) -> None:
    await make.run(job)
    [promised] = await _claim(store, [], ["w1"])
    heard: list[Event] = []
    store.subscribe(heard.extend)
    [run] = await store.finish([completed(promised, NOW + MINUTE, started_at=started)], NOW)
    assert [(event.data["state"], event.data["version"]) for event in heard] == [("running", 2), ("completed", 3)]
    assert (run.started_at, run.version) == (started or NOW, 3)
    assert await make.read(promised) == run
    [attempt] = await store.attempts(run.id)
    assert (attempt["attempt"], attempt["outcome"]) == (1, "completed")


async def test_given_back_it_waits_as_if_it_had_never_been_claimed(store: Store, make: Maker, job: Job) -> None:
    run = await make.read(await make.run(job))
    [promised] = await _claim(store, [], ["w1"])
    await store.give_back([fence(promised)], NOW)
    assert (await make.read(run), await store.attempts(run.id)) == (run, [])
    assert await store.finish([completed(promised)], NOW) == [], "its fence is gone"
    [again] = await make.claim("w2")
    assert (again.run.id, again.run.attempt) == (run.id, 1)
    assert await store.finish([completed(promised)], NOW) == []
    assert [moved.state for moved in await store.finish([completed(again)], NOW)] == ["completed"]


async def test_who_asks_to_cancel_it_marks_it_and_it_never_waits_again(store: Store, make: Maker, job: Job) -> None:
    await make.run(job)
    [promised] = await _claim(store, [], ["w1"])
    [marked] = await store.request_cancel([promised.run.id], "anna", NOW, NOW)
    assert (marked.state, marked.cancel_requested_at) == ("pending", NOW)
    await store.give_back([fence(promised)], NOW)
    run = await make.read(promised)
    assert (run.state, run.attempt) == ("cancelled", 0)
    assert run.error is not None
    assert "anna" in run.error.message


async def test_given_back_after_its_job_was_deleted_it_is_cancelled(store: Store, make: Maker, job: Job) -> None:
    await make.run(job)
    [promised] = await _claim(store, [], ["w1"])
    await store.delete_job(job.id, None, NOW)
    await store.give_back([fence(promised)], NOW)
    assert (await make.read(promised)).state == "cancelled"


async def test_a_lost_one_is_found_by_its_lease_and_may_be_tried_again(store: Store, make: Maker, job: Job) -> None:
    await make.run(job)
    [promised] = await _claim(store, [], ["w1"])
    [lost] = await store.expired_leases(NOW + LEASE)
    assert fence(lost) == fence(promised)
    assert [fence(each) for each in await store.leases_of_other_agents("agent-2")] == [fence(promised)]
    [run] = await store.finish([retrying(lost, NOW)], NOW)
    assert (run.state, run.attempt, run.version) == ("retrying", 1, 3)


async def test_only_what_may_wait_is_promised_and_nothing_goes_before_it(store: Store, make: Maker) -> None:
    short = await make.job("short", policies={"overlap": "allow"})
    long = await make.job("long", policies={"overlap": "allow"})
    runs = [await make.run(job) for job in (short, short, long, short)]
    claimed = await _claim(store, ["w1"], ["w1", "w1", "w1"], short="short")
    assert [each.run.id for each in claimed] == [runs[0].id, runs[1].id]
    [next_, *others] = await _claim(store, ["w2"], ["w2"], short="short")
    assert (next_.run.id, others) == (runs[2].id, []), "nothing behind what takes long"


async def test_no_further_attempt_and_nothing_with_a_limit_is_promised(store: Store, make: Maker, job: Job) -> None:
    claimed = await make.claimed(job)
    await store.finish([retrying(claimed, NOW)], NOW)
    assert await _claim(store, [], ["w1"]) == []
    assert len(await make.claim("w1")) == 1
    await make.run(await make.job("limited", policies={"concurrency": {"key": "k", "limit": 5}}))
    assert await _claim(store, [], ["w1"]) == []


async def test_a_lease_of_it_is_kept_like_any_other(store: Store, make: Maker, job: Job) -> None:
    await make.run(job)
    [promised] = await _claim(store, [], ["w1"])
    assert await store.extend_leases([fence(promised)], NOW + 2 * LEASE, NOW) == []
    assert await store.expired_leases(NOW + LEASE) == []
