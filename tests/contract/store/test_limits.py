"""What an account may have is counted where it is added: as many fit as there are places, however many ask at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from agent.core.identity.records import TokenRecord
from agent.core.permissions.callers import Scope
from agent.core.ports import Store
from agent.core.records import ActiveLimit, JobChange, NewRun, SettledJob
from shared.errors import LimitReached, NotFound
from shared.ids import new_id
from shared.models import AccountLimits, FireOutcome, FireReason, Job
from tests.contract.store.making import MINUTE, NOW, Maker, completed, definition, marks, started


async def limited(store: Store, **limits: object) -> None:
    await store.put_account_limits("main", AccountLimits.model_validate(limits), NOW)


def token(**fields: object) -> TokenRecord:
    return TokenRecord(new_id(), "main", "anna-id", "ci", new_id(), frozenset({Scope.READ}), NOW, **fields)  # type: ignore[arg-type]


async def test_an_accounts_own_limits_go_before_those_of_all(store: Store, make: Maker) -> None:
    assert await store.account_limits("main") == AccountLimits()
    await store.put_default_limits(AccountLimits(active_jobs=2, tokens=3))
    await limited(store, tokens=5)
    await make.job()
    held = await store.account_limits("main")
    assert (held.active_jobs, held.tokens, held.waiting_runs) == (2, 5, None)
    found = await store.account_allowance("main", NOW)
    assert (found.own, found.limits, found.use.active_jobs) == (AccountLimits(tokens=5), held, 1)
    for ask in (store.account_allowance("nobody", NOW), store.put_account_limits("nobody", held, NOW)):
        with pytest.raises(NotFound):
            await ask


async def test_103_jobs_at_once_are_100(store: Store, make: Maker) -> None:
    await limited(store, active_jobs=100)
    made = await asyncio.gather(*(make.job(f"job {number}") for number in range(103)), return_exceptions=True)
    assert Counter(type(each) for each in made) == {Job: 100, LimitReached: 3}


async def test_a_place_is_free_again_when_a_job_is_disabled_deleted_or_over(store: Store, make: Maker) -> None:
    await limited(store, active_jobs=1)
    job = await make.job()
    await make.job("over", window_end=NOW - MINUTE)
    off = await make.job("off", enabled=False)
    on = JobChange(off.id, definition("off"), marks(), "anna-id")
    with pytest.raises(LimitReached, match="'main' has 1 active jobs and may have 1"):
        await store.replace_job(on, None, NOW)
    assert not (await store.get_job("main", off.id)).enabled
    await store.replace_job(JobChange(job.id, definition(description="its place is its own"), marks(), "a"), None, NOW)
    await store.replace_job(JobChange(job.id, definition(enabled=False), marks(), "anna-id"), None, NOW)
    await store.replace_job(on, None, NOW)
    with pytest.raises(LimitReached):
        await make.job("another")
    await store.delete_job(off.id, None, NOW)
    await make.job("another")


async def test_an_edit_that_opens_a_window_again_takes_a_place_of_its_contract(store: Store, make: Maker) -> None:
    limit = ActiveLimit("kb_sync", 1)
    over = await make.job("over", through="kb_sync", limit=limit, window_end=NOW - MINUTE)
    await make.job("open", through="kb_sync", limit=limit, window_end=NOW + MINUTE)
    change = JobChange(over.id, definition("over"), marks(window_end=NOW + MINUTE), "anna-id", limit=limit)
    with pytest.raises(LimitReached):
        await store.replace_job(change, None, NOW)


async def test_tokens_that_open_nothing_take_no_place(store: Store, make: Maker) -> None:
    await limited(store, tokens=2)
    living, ending = token(), token(expires_at=NOW + MINUTE)
    await store.insert_token(living)
    await store.insert_token(ending)
    with pytest.raises(LimitReached, match="tokens"):
        await store.insert_token(token())
    await store.revoke_token("main", living.id, NOW)
    await store.insert_token(token())
    with pytest.raises(LimitReached):
        await store.insert_token(token())
    assert (await store.account_allowance("main", NOW)).use.tokens == 2
    assert (await store.account_allowance("main", NOW + MINUTE)).use.tokens == 1


async def test_runs_that_are_asked_for_wait_in_as_many_places_as_there_are(store: Store, make: Maker) -> None:
    await limited(store, waiting_runs=3)
    job = await make.job(policies={"overlap": "allow"})
    made = await asyncio.gather(*(make.run(job) for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in made].count(LimitReached) == 2
    [claimed] = await make.claim()
    await make.run(job)  # what runs waits no more
    with pytest.raises(LimitReached):
        await make.run(job)
    await store.finish([completed(claimed)], NOW)
    pair = [NewRun(new_id(), job.id, "api", None, NOW) for _ in range(2)]
    with pytest.raises(LimitReached):
        await store.insert_runs(pair, NOW)
    assert (await store.account_allowance("main", NOW)).use.waiting_runs == 3


async def test_fires_without_a_place_are_skipped_and_cancel_nothing(store: Store, make: Maker) -> None:
    await limited(store, waiting_runs=1)
    job = await make.job(policies={"overlap": "cancel_running"})
    other = await make.job("Other")
    running = await make.claimed(job)
    await make.run(other)
    fire = started(job, NOW)
    assert await make.settle(job, fire, cancel_running=True) == []
    [row] = await store.list_fires("main")
    assert (row.outcome, row.reason, row.run_id) == (FireOutcome.SKIPPED, FireReason.ACCOUNT_QUEUE_FULL, None)
    assert (await make.read(running)).cancel_requested_at is None
    [waiting] = await make.claim("w2")
    await store.finish([completed(waiting)], NOW)
    later = started(job, NOW + MINUTE)
    assert len(await make.settle(job, later, version=job.version, cancel_running=True)) == 1


async def test_of_fires_settled_together_as_many_start_as_there_are_places(store: Store, make: Maker) -> None:
    await limited(store, waiting_runs=2)
    due = [await make.job(f"job {number}", next_fire_at=NOW) for number in range(4)]
    runs = await store.settle([SettledJob(job.id, job.version, [started(job, NOW)], NOW, None) for job in due], NOW)
    assert [run.job_id for run in runs] == [job.id for job in due[:2]]
    reasons = Counter(fire.reason for fire in await store.list_fires("main"))
    assert reasons == {FireReason.ON_TIME: 2, FireReason.ACCOUNT_QUEUE_FULL: 2}


async def test_other_accounts_places_are_their_own(store: Store, make: Maker) -> None:
    await store.ensure_account("other", "bob-id", "bob", NOW)
    await limited(store, active_jobs=1, min_interval=timedelta(minutes=5))
    await make.job()
    await make.job(account="other", owner="bob-id")
    assert (await store.account_limits("other")).min_interval is None
    assert (await store.account_limits("main")).min_interval == timedelta(minutes=5)
