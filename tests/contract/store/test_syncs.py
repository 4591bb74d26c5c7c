"""Lists of syncs and resets: pages, totals and what was committed, for all of an account and for one user."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, get_args

import pytest

from agent.core.ports import Store
from agent.core.ports.syncs import SyncOrder, SyncQuery
from agent.core.records import NewRun, RunUpdate, RunVariant
from agent.store.lists import asked
from shared.ids import new_id
from shared.models import Job, Run
from shared.states import RunState
from tests.contract.store.making import NOW, Maker, completed, failed, fence

TYPES = ("kb-sync", "kb-reset")
STATES = (RunState.PENDING, RunState.COMPLETED, RunState.FAILED)
ORDERS: tuple[SyncOrder, ...] = get_args(SyncOrder)


async def made(store: Store, make: Maker, chance: random.Random) -> tuple[list[Job], list[Run]]:
    jobs = [
        await make.job(
            f"job {number}", type=chance.choice([*TYPES, "command"]), owner=chance.choice(["anna-id", "bob"])
        )
        for number in range(6)
    ]
    runs = []
    for number in range(60):
        at = NOW + timedelta(minutes=number)
        run = await make.run(chance.choice(jobs), now=at, due=at)
        state = chance.choice(STATES)
        if state is not RunState.PENDING:
            [claimed] = await make.claim("w1", now=at + timedelta(days=1))
            await store.finish([completed(claimed) if state is RunState.COMPLETED else failed(claimed)], NOW)
        runs.append(run)
    return jobs, [await make.read(run) for run in runs]


def ordered(runs: list[Run], order: SyncOrder, *, descending: bool) -> list[Run]:
    """Among equals the newest comes first; what has no value comes last."""
    if order == "number":
        return sorted(runs, key=lambda run: run.number, reverse=descending)
    newest = sorted(runs, key=lambda run: run.number, reverse=True)
    known = [run for run in newest if value(run, order) is not None]
    placed = sorted(known, key=lambda run: value(run, order), reverse=descending)
    return placed + [run for run in newest if value(run, order) is None]


def value(run: Run, order: SyncOrder) -> Any:
    match order:
        case "start_time":
            return run.started_at
        case "status":
            return "succeeded" if run.state is RunState.COMPLETED else str(run.state)
        case "job_type":
            return run.type
        case _:
            return run.finished_at and run.started_at and run.finished_at - run.started_at


@pytest.mark.parametrize("few", [0, 5000])
@pytest.mark.parametrize("user", [None, "anna-id"])
async def test_pages_and_totals_are_those_of_all_that_match(
    store: Store, make: Maker, monkeypatch: pytest.MonkeyPatch, few: int, user: str | None
) -> None:
    monkeypatch.setattr(asked, "FEW_RUNS", few)
    chance = random.Random(few)
    jobs, runs = await made(store, make, chance)
    for _ in range(60):
        types = chance.choice([TYPES, TYPES[:1], TYPES[1:]])
        states = chance.choice([None, (RunState.FAILED,), STATES[:2]])
        job = chance.choice([None, None, chance.choice(jobs).id])
        since = chance.choice([None, NOW + timedelta(minutes=chance.randint(0, 60))])
        until = chance.choice([None, NOW + timedelta(minutes=chance.randint(0, 60))])
        limit, offset = chance.randint(1, 20), chance.choice([0, 3, 50])
        descending, order = chance.random() < 0.5, chance.choice(ORDERS)
        matching = [
            run
            for run in runs
            if run.type in types
            and (user is None or run.owner_id == user)
            and (states is None or run.state in states)
            and (job is None or run.job_id == job)
            and (since is None or run.created_at >= since)
            and (until is None or run.created_at <= until)
        ]
        query = SyncQuery(
            "main",
            user,
            None,
            job,
            types,
            states,
            since,
            until,
            order,
            descending=descending,
            limit=limit,
            offset=offset,
        )
        found, total = await store.sync_runs(query)
        assert total == len(matching)
        expected = ordered(matching, order, descending=descending)[offset : offset + limit]
        assert [run.id for run in found] == [run.id for run in expected]


async def test_what_steps_committed_counts_until_the_result_says_it(store: Store, make: Maker) -> None:
    claimed = await make.claimed(await make.job(type="kb-sync"))

    async def seen() -> tuple[int, int]:
        [run], _ = await store.sync_runs(SyncQuery("main", types=TYPES))
        return run.rows, run.bytes

    def step(position: int, result: object) -> dict[str, object]:
        at = NOW.isoformat()
        return {"position": position, "key": "read", "title": "", "state": "running", "at": at, "result": result}

    assert await seen() == (0, 0)
    told = {"origin": "a", "rows_synced": 3, "bytes_synced": 30}
    for number, result in enumerate(({"other": 1}, told, {**told, "rows_synced": 5}, {**told, "origin": "b"}, None)):
        await store.update_runs([RunUpdate(fence(claimed), steps=[step(number, result)])], NOW)
    assert await seen() == (8, 60)
    result = {"rows_synced": 9, "bytes_synced": 90}
    await store.finish([completed(claimed, result=result)], NOW)
    assert await seen() == (9, 90)


async def test_a_variant_goes_with_its_run(store: Store, make: Maker) -> None:
    job = await make.job(type="kb-sync")
    variant = RunVariant("kb-reset", "clear", {"mode": "clear", "only": ["a.b"]})
    new = NewRun(new_id(), job.id, "api", None, NOW, variant=variant)
    [run] = await store.insert_runs([new], NOW)
    plain = await make.run(job)
    assert (run.type, plain.type) == ("kb-reset", "kb-sync")
    assert await store.run_variant(run.id) == variant
    assert await store.run_variant(plain.id) is None
    claimed = {each.run.id: each for each in await make.claim("w1", "w2")}
    assert claimed[run.id].run.type == "kb-reset"
    assert claimed[run.id].definition.type == "kb-sync"
    await store.finish([completed(claimed[run.id])], NOW)
    assert (await store.statistics([job.id]))[job.id].count == 0  # how long it takes says nothing of the job's own runs
    await store.finish([completed(claimed[plain.id])], NOW)
    assert (await store.statistics([job.id]))[job.id].count == 1
    assert await store.count_by_state("main") == dict.fromkeys(RunState, 0) | {"completed": 2}
    await store.delete_runs([run.number])
    assert await store.run_variant(run.id) is None
