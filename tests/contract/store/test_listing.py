"""Lists of runs for machines: whichever way a page is found, it is the page."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from agent.core.driving import Needs
from agent.core.ports import Store
from agent.core.ports.listing import ListingQuery
from agent.core.records import JobChange
from agent.store.lists import asked, listing
from shared.clock import ManualClock
from shared.errors import NotFound
from shared.ids import new_id
from shared.models import KnowledgeBase, Run
from shared.states import RunState
from tests.contract.store.making import NOW, Maker, completed, failed, marks

BASES = ("one", "two", "three")
STATES = (RunState.PENDING, RunState.COMPLETED, RunState.FAILED)


async def made(store: Store, make: Maker, chance: random.Random) -> tuple[list[Run], dict[str, tuple[str, ...]]]:
    """Runs of some jobs, and the knowledge bases of each; some jobs changed theirs on the way."""
    for name in BASES:
        at = {"created_at": NOW, "updated_at": NOW}
        base = KnowledgeBase(id=new_id(), number=0, name=name, account_id="main", embedder="e", dimensions=4, **at)
        await store.insert_knowledge_base(base)
    jobs = [await make.job(f"job {number}") for number in range(6)]
    works_with: dict[str, tuple[str, ...]] = {job.id: () for job in jobs}
    runs, of_run = list[Run](), dict[str, tuple[str, ...]]()
    for number in range(60):
        job = chance.choice(jobs)
        if chance.random() < 0.3:
            works_with[job.id] = tuple(chance.sample(BASES, chance.randint(0, 2)))
            needs = Needs(knowledge_bases=works_with[job.id])
            await store.replace_job(
                JobChange(job.id, await store.definition(job.id), marks(), "a", needs=needs), None, NOW
            )
        at = NOW + timedelta(minutes=number)
        run = await make.run(job, now=at, due=at)
        state = chance.choice(STATES)
        if state is not RunState.PENDING:
            claimed = next(each for each in await make.claim("w1", now=at + timedelta(days=1)))
            await store.finish([completed(claimed) if state is RunState.COMPLETED else failed(claimed)], NOW)
        of_run[run.id] = works_with[job.id]
        runs.append(run)
    return [await make.read(run) for run in runs], of_run


@pytest.mark.parametrize(
    ("few", "few_jobs"), [(5000, 500), (0, 500), (0, 0)], ids=["by their runs", "by their jobs", "by all"]
)
async def test_every_way_finds_the_same_page(
    store: Store, make: Maker, monkeypatch: pytest.MonkeyPatch, few: int, few_jobs: int
) -> None:
    monkeypatch.setattr(asked, "FEW_RUNS", few)
    monkeypatch.setattr(listing, "FEW_JOBS", few_jobs)
    monkeypatch.setattr(listing, "MANY_RUNS", 0)
    chance = random.Random(few + few_jobs)
    runs, of_run = await made(store, make, chance)
    for _ in range(60):
        names = chance.choice([None, (), ("one",), ("one", "two"), ("nobody",)])
        states = chance.choice([None, (), (RunState.FAILED,), STATES])
        since = chance.choice([None, NOW + timedelta(minutes=chance.randint(0, 60))])
        before, limit = chance.choice([None, chance.choice(runs).number]), chance.randint(1, 70)
        query = ListingQuery("main", base_names=names, states=states, since=since, before=before, limit=limit)
        expected = [
            run.id
            for run in reversed(runs)
            if (names is None or set(names) & set(of_run[run.id]))
            and (states is None or run.state in states)
            and (since is None or run.created_at >= since)
            and (before is None or run.number < before)
        ]
        found = await store.listed_runs(query)
        assert [each.id for each in found] == expected[:limit]
        assert all({name for _, name in each.bases} == set(of_run[each.id]) for each in found)


async def test_a_base_by_its_number_is_that_of_the_account(store: Store, make: Maker) -> None:
    at = {"created_at": NOW, "updated_at": NOW}
    theirs = KnowledgeBase(id=new_id(), number=0, name="one", account_id="other", embedder="e", dimensions=4, **at)
    other = await store.insert_knowledge_base(theirs)
    job = await make.job()
    needs = Needs(knowledge_bases=("one",))
    await store.replace_job(JobChange(job.id, await store.definition(job.id), marks(), "a", needs=needs), None, NOW)
    run = await make.run(job)
    assert [each.bases for each in await store.listed_runs(ListingQuery("main"))] == [()]
    mine = await store.insert_knowledge_base(theirs.model_copy(update={"id": new_id(), "account_id": "main"}))
    assert await store.listed_runs(ListingQuery("main", base_numbers=(other.number,))) == []
    [found] = await store.listed_runs(ListingQuery("main", base_numbers=(mine.number,)))
    assert (found.id, found.bases) == (run.id, ((mine.number, "one"),))


async def test_definitions_may_name_a_base_by_id(store: Store, make: Maker) -> None:
    at = {"created_at": NOW, "updated_at": NOW}
    base = KnowledgeBase(id=new_id(), number=0, name="one", account_id="main", embedder="e", dimensions=4, **at)
    await store.insert_knowledge_base(base)
    job = await make.job()
    needs = Needs(knowledge_bases=(base.id, "one"))
    await store.replace_job(JobChange(job.id, await store.definition(job.id), marks(), "a", needs=needs), None, NOW)
    run = await make.run(job)
    assert [each.id for each in await store.listed_runs(ListingQuery("main", base_names=("one",)))] == [run.id]


async def test_accounts_have_numbers(store: Store, make: Maker, clock: ManualClock) -> None:
    await store.ensure_account("other", new_id(), "eve", clock.now())
    assert await store.account_number("main") != await store.account_number("other")
    with pytest.raises(NotFound):
        await store.account_number("nobody")
