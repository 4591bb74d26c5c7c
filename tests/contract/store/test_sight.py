"""What is kept so that a user's lists are found soon says what jobs, shares and runs say, whatever was done to them."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa

from agent.core.identity.records import NewMember, NewUser
from agent.core.permissions.rules import EVERYONE
from agent.core.ports import Store
from agent.core.ports.listing import ListingQuery
from agent.core.ports.syncs import SyncQuery
from agent.core.records import NewShare, RunQuery
from agent.store import SqlStore
from agent.store.lists import newest
from agent.store.tables import job_counts, job_readers, jobs, run_counts, runs, shares
from shared.filters import parse
from shared.models import Job
from shared.states import FINAL, RunState
from tests.contract.store.making import NOW, Maker, completed, failed

USERS = ("anna-id", "bob-id", "carl-id")
TYPES = ("kb-sync", "kb-reset", "command")


async def _people(store: Store) -> None:
    for user in ("bob-id", "carl-id"):
        await store.insert_user(NewUser(user, user[:-3], NOW), NewMember("main", user, "member", code=False))


async def _read(store: Store, query: Any) -> list[Any]:
    assert isinstance(store, SqlStore)
    return await store._read(lambda connection: [tuple(row) for row in connection.execute(query)])


async def _readers(store: Store) -> set[tuple[int, str]]:
    """By the rule: the owner, and whom it is shared with."""
    owners = await _read(store, sa.select(jobs.c.number, jobs.c.owner_id))
    shared = sa.select(jobs.c.number, shares.c.principal_id).join(shares, shares.c.subject_id == jobs.c.id)
    return {*owners, *await _read(store, shared.where(shares.c.kind == "job"))}


async def _share_somehow(store: Store, chance: random.Random, job: Job) -> None:
    who = chance.choice([*USERS, EVERYONE])
    there = {each.principal_id for each in (await store.shares_of("main", "job", [job.id])).get(job.id, [])}
    if chance.random() < 0.25:
        await store.set_owner("main", "job", job.id, chance.choice(USERS), NOW)
    elif who in there:
        await store.remove_share("main", "job", job.id, who, NOW)
    else:
        await store.put_share(NewShare("main", "job", job.id, who, "reader", "anna"), NOW)


async def test_readers_are_owners_and_whom_it_is_shared_with(store: Store, make: Maker) -> None:
    await _people(store)
    chance = random.Random(3)
    made = [await make.job(f"job {number}", owner=USERS[number % 3]) for number in range(3)]
    for step in range(60):
        await _share_somehow(store, chance, chance.choice(made))
        if step == 30:
            await store.delete_job(made[0].id, None, NOW)
            made = [*made[1:], await make.job("late", owner="bob-id")]
        kept = await _read(store, sa.select(job_readers.c.job_number, job_readers.c.principal_id))
        assert set(kept) == await _readers(store)


@pytest.mark.parametrize("most", [0, 2000])
async def test_a_user_sees_of_all_pages_and_counts_what_follows_its_jobs(
    store: Store, make: Maker, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """By the ends of its jobs' runs, or on the way down all of them."""
    monkeypatch.setattr(newest, "MOST", most)
    await _people(store)
    chance = random.Random(most)
    made = [await make.job(f"job {number}", owner=USERS[number % 3], type=TYPES[number % 2]) for number in range(8)]
    for number in range(70):
        await make.run(chance.choice(made))
        if number % 10 < 7:
            [claimed] = await make.claim("w1")
            await store.finish([completed(claimed) if number % 2 else failed(claimed)], NOW)
    for _ in range(6):
        for _ in range(4):
            await _share_somehow(store, chance, chance.choice(made))
        await _compare(store, chance, chance.choice(USERS))
    await _compare_counts(store)


async def _compare(store: Store, chance: random.Random, user: str) -> None:
    readers = await _readers(store)
    mine = {number for number, who in readers if who in (user, EVERYONE)}
    every = await _read(store, sa.select(runs.c.number, runs.c.job_number, runs.c.id, runs.c.type, runs.c.state))
    seen = [row for row in reversed(every) if row[1] in mine]
    limit, before = chance.randint(1, 30), chance.choice([None, chance.choice(every)[0]])
    for states in (None, (RunState.FAILED,), (RunState.FAILED, RunState.PENDING)):
        wanted = [row[2] for row in seen if (states is None or row[4] in states) and (not before or row[0] < before)]
        query = ListingQuery("main", seen_by=user, states=states, before=before, limit=limit)
        assert [each.id for each in await store.listed_runs(query)] == wanted[:limit]
        asked = parse("" if states is None else f"state:{','.join(states)}", "run")
        where = asked if states else None
        page = await store.list_runs(RunQuery("main", where, None, before, None, limit, "-number", user))
        assert [run.id for run in page] == wanted[:limit]
        for types in (("kb-sync",), ("kb-sync", "kb-reset")):
            of_types = [row[2] for row in seen if row[3] in types and (states is None or row[4] in states)]
            found, total = await store.sync_runs(
                SyncQuery("main", seen_by=user, types=types, states=states, limit=limit)
            )
            assert ([each.id for each in found], total) == (of_types[:limit], len(of_types))
        tally = await store.tally_runs("main", where, 60, user)
        counted = Counter(row[4] for row in seen if states is None or row[4] in states)
        assert {state: count for state, count in tally.counts.items() if count} == counted

    of_type = Counter(row[4] for row in seen if row[3] == "kb-sync")
    tally = await store.tally_runs("main", parse("type:kb-sync", "run"), 60, user)
    assert {state: count for state, count in tally.counts.items() if count} == of_type


async def _compare_counts(store: Store) -> None:
    every = await _read(store, sa.select(runs.c.job_number, runs.c.type, runs.c.state))
    ended = Counter(row for row in every if row[2] in FINAL)
    kept = await _read(store, sa.select(job_counts))
    assert {row[:3]: row[3] for row in kept if row[3]} == ended
    of_account = Counter(row[1:] for row in every if row[2] in FINAL)
    assert {row[1:3]: row[3] for row in await _read(store, sa.select(run_counts)) if row[3]} == of_account
