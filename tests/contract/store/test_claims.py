from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from agent.core.ports import Store
from agent.core.records import Fence, JobChange, NewRun, RunUpdate
from shared.clock import ManualClock
from shared.ids import new_id
from shared.models.run import RunCause
from shared.states import RunState
from tests.contract.store.making import (
    LEASE,
    MINUTE,
    NOW,
    Maker,
    completed,
    definition,
    fence,
    marks,
    retrying,
    started,
)
from tests.harness.long import examples


async def test_a_claim_gives_each_worker_one_due_run_by_priority_then_number(store: Store, make: Maker) -> None:
    low, high = await make.job("low", policies={"priority": -5}), await make.job("high", policies={"priority": 5})
    order = [await make.run(job) for job in (low, high, low, high)]
    await make.run(high, due=NOW + MINUTE)
    claimed = await make.claim("w1", "w2", "w3")
    assert [each.run.id for each in claimed] == [order[1].id, order[3].id, order[0].id]
    assert [each.run.worker_id for each in claimed] == ["w1", "w2", "w3"]
    assert {each.run.state for each in claimed} == {RunState.RUNNING}
    assert {(each.run.attempt, each.run.version, each.run.started_at) for each in claimed} == {(1, 2, NOW)}
    assert [each.run.id for each in await make.claim("w4", "w5")] == [order[2].id]
    assert await make.claim("w5") == []
    assert await store.claim([], "agent-1", NOW + LEASE, NOW) == []


async def test_a_claim_brings_the_revision_that_fired_it(store: Store, make: Maker) -> None:
    job = await make.job("Orders", data={"version": 1})
    await make.run(job)
    change = JobChange(job.id, definition("Orders", data={"version": 2}), marks(), "anna-id")
    await store.replace_job(change, None, NOW)
    await make.run(job)
    await make.run(job, revision=1)
    claimed = await make.claim("w1", "w2", "w3")
    assert [(each.run.revision, each.definition.data["version"]) for each in claimed] == [(1, 1), (2, 2), (1, 1)]


async def test_the_checkpoint_of_the_last_attempt_comes_with_the_next(store: Store, make: Maker) -> None:
    claimed = await make.claimed(await make.job())
    assert claimed.checkpoint is None
    await store.update_runs([RunUpdate(fence(claimed), checkpoint={"page": 7})], NOW)
    await store.finish([retrying(claimed, NOW + MINUTE)], NOW)
    [again] = await make.claim("w2", now=NOW + MINUTE)
    assert (again.checkpoint, again.run.attempt) == ({"page": 7}, 2)
    assert again.run.error is None


async def test_a_retry_is_claimed_only_when_it_is_due(store: Store, make: Maker) -> None:
    claimed = await make.claimed(await make.job())
    [waits] = await store.finish([retrying(claimed, NOW + MINUTE)], NOW)
    assert (waits.state, waits.available_at, waits.worker_id) == (RunState.RETRYING, NOW + MINUTE, None)
    assert await store.next_available(NOW) == NOW + MINUTE
    assert await make.claim(now=NOW + MINUTE - timedelta(microseconds=1)) == []
    assert len(await make.claim(now=NOW + MINUTE)) == 1
    assert await store.next_available(NOW) is None


async def test_a_chained_run_waits_for_older_active_ones_of_its_job(store: Store, make: Maker) -> None:
    job, other = await make.job("one"), await make.job("other")
    first = await make.claimed(job)
    second, third = await make.run(job, chained=True), await make.run(job, chained=True)
    free = await make.run(other, chained=True)
    assert [each.run.id for each in await make.claim("w2", "w3", "w4")] == [free.id]
    assert (await make.read(second)).waiting_for == "an older run of this job"
    await store.finish([retrying(first, NOW + MINUTE)], NOW)
    assert await make.claim("w2") == []
    await store.request_cancel([first.run.id], "anna", None, NOW)
    assert [each.run.id for each in await make.claim("w2", "w3")] == [second.id]
    await store.request_cancel([third.id], "anna", None, NOW)


async def test_a_concurrency_key_lets_so_many_run_at_once(store: Store, make: Maker) -> None:
    policies = {"concurrency": {"key": "orders", "limit": 2}}
    jobs = [await make.job(f"job {number}", policies=policies) for number in range(3)]
    runs = [await make.run(job) for job in jobs for _ in range(10)]
    free = await make.run(await make.job("free"))
    claimed = await make.claim(*(f"w{number}" for number in range(8)))
    assert [each.run.id for each in claimed] == [runs[0].id, runs[1].id, free.id]
    assert (await make.read(runs[2])).waiting_for == "key orders: 2 of 2 running"
    assert await make.claim("w9") == []
    await store.finish([completed(claimed[0])], NOW)
    assert [each.run.id for each in await make.claim("w8", "w9")] == [runs[2].id]


async def test_a_key_counts_within_its_account_alone(store: Store, make: Maker) -> None:
    policies = {"concurrency": {"key": "same", "limit": 1}}
    for account in ("main", "other"):
        await make.run(await make.job("job", account=account, policies=policies))
    assert len(await make.claim("w1", "w2")) == 2


async def test_a_blocked_queue_does_not_hide_what_stands_behind_it(store: Store, make: Maker) -> None:
    blocked = await make.job("blocked", policies={"priority": 9, "concurrency": {"key": "k", "limit": 1}})
    await store.insert_runs([NewRun(new_id(), blocked.id, "api", None, NOW) for _ in range(300)], NOW)
    behind = await make.run(await make.job("behind"))
    claimed = await make.claim("w1", "w2", "w3")
    assert len(claimed) == 2
    assert claimed[1].run.id == behind.id


async def test_a_run_waits_for_a_worker_when_nothing_else_holds_it(
    store: Store, make: Maker, clock: ManualClock
) -> None:
    job = await make.job()
    run, later = await make.run(job), await make.run(job, due=NOW + MINUTE)
    assert (await make.read(run)).waiting_for == "no free worker"
    assert (await make.read(later)).waiting_for is None
    clock.advance(MINUTE)
    assert (await make.read(later)).waiting_for == "no free worker"


@pytest.mark.parametrize("cause", ["schedule", "catch_up"])
async def test_after_the_window_closed_nothing_that_fired_starts(store: Store, make: Maker, cause: RunCause) -> None:
    job = await make.job(next_fire_at=NOW - MINUTE, window_end=NOW)
    [run] = await make.settle(job, started(job, NOW - MINUTE, cause=cause))
    by_hand = await make.run(job, cause="manual")
    claimed = await make.claim("w1", "w2", now=NOW + MINUTE)
    assert [each.run.id for each in claimed] == [by_hand.id]
    ended = await make.read(run)
    assert ended.state == RunState.CANCELLED
    assert ended.error is not None
    assert ended.error.kind == "window_closed"
    [fire] = await store.list_fires("main")
    assert (fire.outcome, fire.reason, fire.run_id) == ("skipped", "window_closed", run.id)


async def test_at_the_very_end_of_the_window_a_run_still_starts(store: Store, make: Maker) -> None:
    job = await make.job(next_fire_at=NOW, window_end=NOW)
    await make.settle(job, started(job, NOW))
    assert len(await make.claim(now=NOW)) == 1


async def test_no_retry_either_after_the_window_closed(store: Store, make: Maker) -> None:
    job = await make.job(next_fire_at=NOW, window_end=NOW)
    await make.settle(job, started(job, NOW))
    [claimed] = await make.claim()
    await store.finish([retrying(claimed, NOW + MINUTE)], NOW)
    assert await make.claim(now=NOW + MINUTE) == []
    assert (await make.read(claimed)).state == RunState.CANCELLED
    [fire] = await store.list_fires("main")
    assert (fire.outcome, fire.reason) == ("started", "window_closed")


async def test_leases_are_extended_by_who_holds_them_and_expire_for_who_does_not(store: Store, make: Maker) -> None:
    job = await make.job()
    held, lost = await make.claimed(job, "w1"), await make.claimed(job, "w2")
    stranger = Fence(held.run.id, held.run.attempt, "w9")
    later = NOW + LEASE + MINUTE
    assert await store.extend_leases([fence(held), stranger], later, NOW) == [stranger]
    assert [each.run.id for each in await store.expired_leases(NOW + LEASE)] == [lost.run.id]
    assert await store.expired_leases(NOW + LEASE - timedelta(microseconds=1)) == []
    assert len(await store.expired_leases(later)) == 2


async def test_a_heartbeat_from_who_lost_the_run_lengthens_nobodys_lease(store: Store, make: Maker) -> None:
    held = await make.claimed(await make.job())
    stranger = Fence(held.run.id, held.run.attempt, "w9")
    assert await store.extend_leases([stranger], NOW + 10 * LEASE, NOW) == [stranger]
    assert [each.run.id for each in await store.expired_leases(NOW + LEASE)] == [held.run.id]


async def test_runs_of_other_agents_are_found(store: Store, make: Maker) -> None:
    job = await make.job()
    await make.run(job)
    await make.run(job)
    [old] = await make.claim("w1", agent="agent-before")
    await make.claim("w2", agent="agent-now")
    assert [each.run.id for each in await store.leases_of_other_agents("agent-now")] == [old.run.id]


async def test_claims_at_once_never_give_one_run_twice(store: Store, make: Maker) -> None:
    job = await make.job(policies={"concurrency": {"key": "k", "limit": 7}})
    await store.insert_runs([NewRun(new_id(), job.id, "api", None, NOW) for _ in range(40)], NOW)
    claims = await asyncio.gather(*(make.claim(f"a{number}", f"b{number}") for number in range(20)))
    taken = Counter(each.run.id for claim in claims for each in claim)
    assert len(taken) == 7
    assert set(taken.values()) == {1}


_jobs = st.lists(
    st.tuples(st.sampled_from([None, "a", "b"]), st.integers(1, 3), st.integers(-2, 2)), min_size=1, max_size=4
)
_acts = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.integers(0, 3), st.booleans()),
        st.tuples(st.just("claim"), st.integers(1, 4), st.booleans()),
        st.tuples(st.just("finish"), st.integers(0, 9), st.booleans()),
    ),
    max_size=25,
)


@examples(10, HealthCheck.function_scoped_fixture)
@given(specs=_jobs, acts=_acts)
async def test_whatever_happens_limits_and_chains_hold_and_no_place_stays_empty(
    store: Store, make: Maker, specs: list[tuple[str | None, int, int]], acts: list[tuple[str, int, bool]]
) -> None:
    prefix = new_id()
    jobs = []
    for number, (key, limit, priority) in enumerate(specs):
        concurrency = {"key": key and f"{prefix}-{key}", "limit": limit}
        jobs.append(await make.job(f"{prefix} {number}", policies={"concurrency": concurrency, "priority": priority}))
    running = []
    for act, number, flag in acts:
        if act == "insert":
            await make.run(jobs[number % len(jobs)], chained=flag)
        elif act == "claim":
            running += await make.claim(*(f"w{place}" for place in range(number)))
            await _check(make, limits={job.id: job.policies.concurrency.limit for job in jobs})
        elif running:
            await store.finish([completed(running.pop(number % len(running)))], NOW)
    running += await make.claim(*(f"w{place}" for place in range(200)))
    waiting = await make.runs("state:pending", limit=200)
    assert "no free worker" not in {run.waiting_for for run in waiting}
    while running:
        await store.finish([completed(each) for each in running], NOW)
        running = await make.claim(*(f"w{place}" for place in range(200)))
    assert await make.runs("state:active") == []


async def _check(make: Maker, limits: dict[str, int]) -> None:
    running = await make.runs("state:running", limit=200)
    by_key = Counter(run.concurrency_key for run in running if run.concurrency_key)
    for run in running:
        if run.concurrency_key:
            most = max(limits[other.job_id] for other in running if other.concurrency_key == run.concurrency_key)
            assert by_key[run.concurrency_key] <= most
