"""Pages and counts of runs: each run once, whatever is written meanwhile and however little time there is."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from agent.core.driving import Needs
from agent.core.identity.records import NewMember, NewUser
from agent.core.ports import Store
from agent.core.ports.listing import ListedRun, ListingQuery
from agent.core.records import JobChange, NewRun, NewShare, RunQuery
from agent.store import SqlStore, open_store
from agent.store.engine.prepared import driver_of
from agent.store.lists import counts, newest, walking
from shared.clock import ManualClock
from shared.errors import Conflict
from shared.filters import parse
from shared.ids import new_id
from shared.models import Job, KnowledgeBase
from shared.states import RunState
from tests.contract.store.making import NOW, Maker, completed, failed, marks


async def fill(make: Maker, jobs: list[Job], count: int, rng: random.Random) -> None:
    """Runs in every state."""
    await make.store.insert_runs([NewRun(new_id(), rng.choice(jobs).id, "api", None, NOW) for _ in range(count)], NOW)
    claimed = await make.claim(*(f"w{number}" for number in range(count * 3 // 4)))
    ends = [
        failed(each, rng.choice(["no route", "disk full"])) if rng.random() < 0.4 else completed(each)
        for each in claimed
    ]
    await make.store.finish(ends[: count // 2], NOW)
    await make.store.request_cancel(
        [run.id for run in await make.runs("state:pending", limit=count // 10)], "me", None, NOW
    )


async def job_with_base(make: Maker, name: str) -> Job:
    """A job that works with the knowledge base `base`."""
    base = KnowledgeBase(
        id=new_id(),
        number=0,
        name="base",
        account_id="main",
        embedder="e",
        dimensions=4,
        created_at=NOW,
        updated_at=NOW,
    )
    with suppress(Conflict):  # the job before has it too
        await make.store.insert_knowledge_base(base)
    job = await make.job(name)
    needs = Needs(knowledge_bases=("base",))
    change = JobChange(job.id, await make.store.definition(job.id), marks(), "a", needs=needs)
    await make.store.replace_job(change, None, NOW)
    return job


async def change_something(make: Maker, job: Job, rng: random.Random) -> None:
    """As agents and people do it while somebody pages."""
    match rng.randrange(4):
        case 0:
            await make.store.insert_runs([NewRun(new_id(), job.id, "api", None, NOW) for _ in range(3)], NOW)
        case 1:
            claimed = await make.claim(f"x{rng.random()}")
            await make.store.finish([failed(each) for each in claimed], NOW)
        case 2:
            oldest = await make.store.surplus_runs(0, 2)
            await make.store.delete_runs(oldest)
        case _:
            waiting = await make.runs("state:pending", limit=1)
            await make.store.request_cancel([run.id for run in waiting], "me", None, NOW)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("where", ["", "type:command"])
async def test_pages_neither_skip_nor_repeat_a_run_while_others_write(
    store: Store, make: Maker, seed: int, where: str
) -> None:
    rng = random.Random(seed)
    job = await make.job()
    await fill(make, [job], 60, rng)
    there = [run.number for run in await make.runs(limit=1000)]
    seen: list[int] = []
    before: int | None = None
    while True:
        query = RunQuery("main", parse(where, "run") if where else None, before=before, limit=rng.randrange(1, 9))
        page = await make.store.page_runs(query, 60)
        seen += [run.number for run in page.runs]
        before = page.before
        if before is None:
            break
        await change_something(make, job, rng)
    kept = {run.number for run in await make.runs(limit=1000)}
    assert seen == sorted(set(seen), reverse=True)
    assert set(seen) <= set(there)
    assert set(there) & kept <= set(seen)


@pytest.mark.parametrize("most", [0, 2000])
@pytest.mark.parametrize("states", [None, (RunState.FAILED, RunState.PENDING)])
@pytest.mark.parametrize("seen_by", [None, "bob-id"])
@pytest.mark.parametrize("base_names", [None, ("base",)])
async def test_pages_for_machines_neither_skip_nor_repeat_a_run_while_others_write(
    store: Store,
    make: Maker,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    states: tuple[RunState, ...] | None,
    seen_by: str | None,
    base_names: tuple[str, ...] | None,
) -> None:
    """Whichever way the pages are found; `most`: jobs at whose ends they are looked for."""
    monkeypatch.setattr(newest, "MOST", most)
    rng = random.Random(most)
    job, theirs = [await job_with_base(make, name) for name in ("one", "two")]
    await store.insert_user(NewUser("bob-id", "bob", NOW), NewMember("main", "bob-id", "member", code=False))
    await store.put_share(NewShare("main", "job", job.id, "bob-id", "reader", "anna"), NOW)
    await fill(make, [job, theirs], 60, rng)
    wanted = ListingQuery("main", seen_by=seen_by, states=states, base_names=base_names)

    async def shown(**place: Any) -> list[ListedRun]:
        return list(await store.listed_runs(replace(wanted, **place)))

    made, there, seen = await shown(states=None, limit=1000), await shown(limit=1000), list[ListedRun]()
    while page := await shown(before=seen[-1].number if seen else None, limit=rng.randrange(1, 9)):
        seen += page
        await change_something(make, job, rng)
    kept = {run.number for run in await shown(limit=1000)}
    numbers = [run.number for run in seen]
    assert len(there) > 5
    assert numbers == sorted(set(numbers), reverse=True)
    assert set(numbers) <= {run.number for run in made}
    assert {run.number for run in there} & kept <= set(numbers)


@pytest.mark.parametrize("seed", range(6))
async def test_following_upwards_meets_every_new_run_once(store: Store, make: Maker, seed: int) -> None:
    rng = random.Random(seed)
    job = await make.job()
    seen: list[int] = []
    for _ in range(20):
        await change_something(make, job, rng)
        page = await make.runs(after=seen[-1] if seen else 0, limit=2)
        seen += [run.number for run in page[::-1]]
    while page := await make.runs(after=seen[-1] if seen else 0, limit=2):
        seen += [run.number for run in page[::-1]]
    assert seen == sorted(set(seen))
    assert {run.number for run in await make.runs(limit=1000)} <= set(seen)


class TickingClock(ManualClock):
    """Each look at it takes a second."""

    def monotonic(self) -> float:
        self.advance(timedelta(seconds=1))
        return super().monotonic()


@pytest.fixture
async def hurried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqlStore]:
    """Every stretch is one of ten runs, and after the first the time is over."""
    monkeypatch.setattr(walking, "FIRST", 10)
    store = await open_store(tmp_path / "hurried.db", clock=TickingClock(NOW), new_id=new_id)
    await store.ensure_account("main", "anna-id", "anna", NOW)
    yield store
    await store.close()


@pytest.mark.parametrize(
    "where", ["state:failed", "type:command", "worker:nobody", '"disk full"', "-'no route'", "dur>1h", "name:second"]
)
async def test_a_page_that_had_no_time_says_where_to_go_on_and_nothing_is_missed(
    hurried: SqlStore, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    make = Maker(hurried)
    await fill(make, [await make.job("first"), await make.job("second")], 80, random.Random(3))
    monkeypatch.setattr("agent.store.lists.narrowing.FEW_RUNS", 0)
    expected = await hurried.list_runs(RunQuery("main", parse(where, "run"), limit=1000))
    query, found, answers, before = parse(where, "run"), [], 0, None
    while True:
        page = await hurried.page_runs(RunQuery("main", query, before=before, limit=6), 0.5)
        answers += 1
        found += page.runs
        assert page.before is None or before is None or page.before < before
        before = page.before
        if before is None:
            break
    assert [run.id for run in found] == [run.id for run in expected]
    assert answers >= 8


@pytest.mark.parametrize("where", ["type:kb-sync", "-type:command state:failed", "state:retrying cause:api"])
async def test_of_what_is_nowhere_the_counts_say_so_at_once(hurried: SqlStore, where: str) -> None:
    make = Maker(hurried)
    await fill(make, [await make.job()], 80, random.Random(3))
    page = await hurried.page_runs(RunQuery("main", parse(where, "run"), limit=6), 0.5)
    assert (page.runs, page.before) == ([], None)


async def test_of_what_is_rare_no_more_is_looked_for_than_there_is(hurried: SqlStore) -> None:
    make = Maker(hurried)
    many, one = await make.job("many"), await make.job("one", type="kb-sync")
    await fill(make, [many], 80, random.Random(3))
    rare = await make.run(one)
    page = await hurried.page_runs(RunQuery("main", parse("type:kb-sync", "run"), limit=6), 0.5)
    assert ([run.id for run in page.runs], page.before) == ([rare.id], None)


async def test_a_count_that_had_no_time_says_so(hurried: SqlStore) -> None:
    make = Maker(hurried)
    await fill(make, [await make.job()], 80, random.Random(3))
    part = await hurried.tally_runs("main", parse("attempt:1", "run"), 0.5)
    whole = await hurried.tally_runs("main", parse("attempt:1", "run"), 1000)
    assert (part.complete, whole.complete) == (False, True)
    assert sum(part.counts.values()) < sum(whole.counts.values()) == 60


@pytest.mark.parametrize(
    "where",
    [
        None, "state:failed", "state:active", "state:failed,cancelled type:command", "-state:completed", "type:~COMM",
        "type:kb-sync", "-type:command", "state:pending", "state:cancelling", "name:second", "attempt:1",
    ],
)  # fmt: skip
async def test_counts_are_what_is_there(store: Store, make: Maker, where: str | None) -> None:
    jobs = [await make.job("first"), await make.job("second", type="kb-sync")]
    await fill(make, jobs, 80, random.Random(5))
    await store.delete_runs(await store.surplus_runs(20, 100))
    given = parse(where, "run") if where else None
    listed = [run.state for run in await store.list_runs(RunQuery("main", given, limit=1000))]
    found = await store.count_by_state("main", given)
    assert found == {str(state): listed.count(state) for state in RunState}
    assert sum((await store.count_by_state("other")).values()) == 0


async def test_counts_of_everything_look_at_no_run_that_is_over(store: SqlStore, make: Maker) -> None:
    job = await make.job()
    for _ in range(3):
        claimed = await make.claimed(job)
        await store.finish([completed(claimed)], NOW)
    sent: list[str] = []

    def plans(connection: sa.Connection) -> list[str]:
        driver = driver_of(connection)
        driver.set_trace_callback(sent.append)
        counts.by_state(connection, "main")
        driver.set_trace_callback(None)
        questions = [each for each in sent if each.startswith("SELECT")]
        return [row[3] for each in questions for row in driver.execute(f"EXPLAIN QUERY PLAN {each}")]

    found = await store._writer.submit(plans)
    assert [plan for plan in found if " runs " in plan] == [
        "SEARCH runs USING COVERING INDEX ix_runs_state (account_id=? AND state=?)"
    ]
