"""Drafts in the store: one of each user for each job, and gone in the transaction that publishes them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent.core.ports import Store
from agent.core.records import DraftMark, JobChange, NewDraft, NewJob
from agent.store.jobs import drafts
from shared.errors import NotFound, StaleVersion, TooMany
from shared.ids import new_id
from shared.models import DraftInput, Job
from tests.contract.store.making import NOW, Maker, definition, marks


def new(job: Job | None = None, owner: str = "anna-id", **fields: Any) -> NewDraft:
    given = DraftInput.model_validate({"name": "Orders", "type": "command", **fields})
    if job is None:
        return NewDraft(new_id(), "main", owner, given)
    return NewDraft(new_id(), "main", owner, given, job.id, job.revision)


def change(job: Job, draft: DraftMark, **fields: Any) -> JobChange:
    return JobChange(job.id, definition(job.name, **fields), marks(), "anna-id", draft=draft)


async def test_there_is_one_of_each_user_for_each_job(store: Store, make: Maker) -> None:
    job = await make.job()
    opened = await asyncio.gather(*(store.open_draft(new(job), NOW) for _ in range(5)))
    assert len({draft.id for draft, _ in opened}) == 1
    assert sorted(made for _, made in opened) == [False] * 4 + [True]
    theirs, made = await store.open_draft(new(job, "ben-id"), NOW)
    assert made
    assert theirs.id != opened[0][0].id
    assert [draft.id for draft in await store.list_drafts("main", "ben-id")] == [theirs.id]


async def test_only_its_owner_finds_it(store: Store, make: Maker) -> None:
    job = await make.job()
    draft, _ = await store.open_draft(new(job), NOW)
    assert (await store.get_draft("main", "anna-id", draft.id)).editing_id == job.id
    assert (await store.draft_of("anna-id", job.id)).id == draft.id
    for account, owner in (("main", "ben-id"), ("other", "anna-id")):
        with pytest.raises(NotFound):
            await store.get_draft(account, owner, draft.id)
    with pytest.raises(NotFound):
        await store.draft_of("ben-id", job.id)


async def test_what_is_published_is_a_draft_no_more(store: Store, make: Maker) -> None:
    job = await make.job()
    draft, _ = await store.open_draft(new(job), NOW)
    after = await store.replace_job(change(job, DraftMark(draft.id, 1), description="new"), job.version, NOW)
    assert (after.revision, after.description) == (2, "new")
    assert await store.list_drafts("main", "anna-id") == []


async def test_a_draft_that_changed_meanwhile_is_not_published(store: Store, make: Maker) -> None:
    job = await make.job()
    draft, _ = await store.open_draft(new(job), NOW)
    await store.put_draft(draft.id, draft.definition, 1, NOW)
    with pytest.raises(StaleVersion):
        await store.replace_job(change(job, DraftMark(draft.id, 1), description="new"), job.version, NOW)
    assert (await store.get_job("main", job.id)).revision == 1
    assert len(await store.revisions(job.id)) == 1
    assert (await store.get_draft("main", "anna-id", draft.id)).version == 2


async def test_a_draft_that_is_gone_makes_no_job(store: Store, make: Maker) -> None:
    await make.job("there")
    draft, _ = await store.open_draft(new(), NOW)
    await store.delete_draft(draft.id, 1, NOW)
    made = NewJob(new_id(), "main", "anna-id", "late", definition("Late"), marks(), draft=DraftMark(draft.id, 1))
    with pytest.raises(NotFound):
        await store.insert_job(made, NOW)
    assert (await store.list_jobs("main"))[1] == 1


async def test_of_two_commits_at_once_one_counts(store: Store, make: Maker) -> None:
    job = await make.job()
    draft, _ = await store.open_draft(new(job), NOW)
    mark = DraftMark(draft.id, 1)
    both = (store.replace_job(change(job, mark, description=text), job.version, NOW) for text in ("one", "two"))
    done = await asyncio.gather(*both, return_exceptions=True)
    assert [type(each) for each in done] == [Job, StaleVersion]
    assert (await store.get_job("main", job.id)).revision == 2


async def test_a_draft_says_what_is_unfinished(store: Store) -> None:
    given = {"name": "", "type": "", "interval": "61 * * * *", "interval_type": "cron", "data": {"ä": [1, None]}}
    draft, _ = await store.open_draft(new(**given), NOW)
    found = await store.get_draft("main", "anna-id", draft.id)
    assert found.definition == DraftInput.model_validate(given)
    assert (found.editing_id, found.based_on) == (None, None)


async def test_drafts_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MOST", 2)
    for _ in range(2):
        await store.open_draft(new(), NOW)
    with pytest.raises(TooMany):
        await store.open_draft(new(), NOW)
    await store.open_draft(new(owner="ben-id"), NOW)


async def test_revisions_come_in_pages(store: Store, make: Maker) -> None:
    job = await make.job()
    for number in range(4):
        await store.replace_job(JobChange(job.id, definition(description=str(number)), marks(), "x"), None, NOW)
    assert [each["revision"] for each in await store.revisions(job.id, limit=2)] == [5, 4]
    assert [each["revision"] for each in await store.revisions(job.id, before=4, limit=2)] == [3, 2]
    assert (await store.revision(job.id, 1))["definition"]["name"] == "Orders"
    with pytest.raises(NotFound):
        await store.revision(job.id, 6)
