"""What publishing would say, said beforehand: by a plan, by a draft; as it then is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent.core.permissions.callers import Caller, Scope
from agent.core.ports import Store
from agent.store.engine.readers import Readers
from shared.errors import Forbidden, NotFound
from shared.models import AccountLimits, ConnectionInput, Job, UserInput
from shared.models.applying import GivenDefinition
from shared.models.dataset import NewDataset
from shared.models.share import AccessLevel, ShareInput
from tests.functional.agent.stage import NOON, Stage

TEN_MINUTES: dict[str, Any] = {"interval_type": "simple", "interval": "10 minutes"}


async def bob_with(stage: Stage, level: AccessLevel, *jobs: Job) -> Caller:
    bob = await stage.core.gate.users.create(stage.me, UserInput(handle="bob", code=True))
    for job in jobs:
        await stage.core.shares.put(stage.me, "job", job.id, ShareInput(principal_id="bob", access_level=level))
    scopes = frozenset({Scope.READ, Scope.EDIT, Scope.RUN, Scope.CODE})
    return replace(stage.me, user_id=bob.id, handle="bob", scopes=scopes, via="token")


def given(job: Job, **changes: Any) -> GivenDefinition:
    said = {"name": job.name, "slug": job.slug, "type": job.type, "data": job.data, **changes}
    return GivenDefinition(source="jobs.toml", definition=said)


def fresh(name: str, **more: Any) -> GivenDefinition:
    said = {"name": name, "type": "command", "data": {"command": "true"}, **more}
    return GivenDefinition(source="jobs.toml", definition=said)


async def test_a_plan_tells_the_fires_that_the_changed_job_will_have(stage: Stage) -> None:
    """A simple interval counts from when the job was created, not from the plan."""
    job = await stage.job(**TEN_MINUTES)
    stage.clock.advance(timedelta(minutes=3))
    schedule = {"intervalType": "simple", "interval": "10 minutes"}
    planned = await stage.core.applying.plan(stage.me, [given(job, description="new", **schedule)])
    changed = await stage.edit(job, description="new")
    assert planned.items[0].next_fires[0] == changed.next_run_at


async def test_a_draft_tells_the_fires_that_publishing_it_gives(stage: Stage) -> None:
    job = await stage.job(**TEN_MINUTES)
    stage.clock.advance(timedelta(minutes=3))
    draft, _ = await stage.core.drafts.edit(stage.me, job.id)
    check = await stage.core.drafts.check(stage.me, draft.id)
    published = await stage.core.drafts.commit(stage.me, draft.id)
    assert check.next_fires[0] == published.next_run_at


async def test_nothing_is_applied_where_one_job_may_not_be_changed(stage: Stage) -> None:
    one, other = await stage.job("One"), await stage.job("Other")
    bob = await bob_with(stage, "editor", one)
    await stage.core.shares.put(stage.me, "job", other.id, ShareInput(principal_id="bob", access_level="reader"))
    done = await stage.core.applying.apply(bob, [given(one, description="new"), given(other, description="new")])
    assert [change.act for change in done.items] == ["replace", "refused"]
    assert "editor" in done.items[1].faults[0].message
    assert (await stage.core.jobs.get(stage.me, one.id)).revision == 1


async def test_nothing_is_applied_where_the_account_has_no_room_for_all(stage: Stage) -> None:
    one = await stage.job("One")
    await stage.core.store.put_account_limits("default", AccountLimits(active_jobs=2), stage.clock.now())
    wanted = [given(one, description="new"), fresh("Two"), fresh("Off", enabled=False), fresh("Three")]
    done = await stage.core.applying.apply(stage.me, wanted)
    assert [change.act for change in done.items] == ["replace", "create", "create", "refused"]
    assert "may have 2" in done.items[3].faults[0].message
    assert [job.name for job in (await stage.core.jobs.list(stage.me))[0]] == ["One"]


async def test_a_place_that_an_earlier_definition_frees_may_be_taken(stage: Stage) -> None:
    one = await stage.job("One")
    await stage.core.store.put_account_limits("default", AccountLimits(active_jobs=1), stage.clock.now())
    done = await stage.core.applying.apply(stage.me, [given(one, enabled=False), fresh("Two")])
    assert [change.act for change in done.items] == ["replace", "create"]


async def test_a_plan_needs_code_for_what_was_a_program(stage: Stage) -> None:
    job = await stage.job()
    harmless = {"type": "api-call", "data": {"url": "https://example.org/"}}
    planned = await stage.core.applying.plan(stage.without(Scope.CODE), [given(job, **harmless)])
    assert planned.items[0].act == "refused"


@pytest.mark.parametrize("way", ["plan", "draft"])
async def test_who_changes_anothers_job_need_not_see_what_its_owner_uses(stage: Stage, tmp_path: Any, way: str) -> None:
    connection = await stage.core.world.create_connection(
        stage.me, ConnectionInput(name="shop", url=f"sqlite:///{tmp_path}/shop.db")
    )
    dataset = {"type": "dataset-refresh", "data": {"dataset": "orders"}}
    made = await stage.core.datasets.create(stage.me, NewDataset(name="orders", connection="shop", query="SELECT 1"))
    job = await stage.job(**dataset)
    bob = await bob_with(stage, "editor", job)
    for kind, thing in (("connection", connection), ("dataset", made)):
        await stage.core.shares.set_visibility(stage.me, kind, thing.id, "private")
    if way == "plan":
        [change] = (await stage.core.applying.plan(bob, [given(job, description="new")])).items
        assert (change.act, change.faults) == ("replace", [])
        return
    draft, _ = await stage.core.drafts.edit(bob, job.id)
    assert (await stage.core.drafts.check(bob, draft.id)).faults == []


async def test_a_draft_of_a_job_that_may_not_be_changed_any_more_is_refused(stage: Stage) -> None:
    job = await stage.job()
    bob = await bob_with(stage, "editor", job)
    draft, _ = await stage.core.drafts.edit(bob, job.id)
    await stage.core.shares.put(stage.me, "job", job.id, ShareInput(principal_id="bob", access_level="reader"))
    with pytest.raises(Forbidden, match="editor"):
        await stage.core.drafts.check(bob, draft.id)


async def test_a_plan_of_many_asks_the_store_no_more_than_one_of_few(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New, changed and unchanged ones, other schedules, names that are taken; by who administers and by who was let."""
    await stage.core.store.put_account_limits("default", AccountLimits(min_interval=timedelta(minutes=1)), NOON)
    jobs = [await stage.job(f"Job {number}") for number in range(12)]
    others = [await stage.job(f"Other {number}") for number in range(12)]
    bob = await bob_with(stage, "editor", *jobs)
    asked: list[Any] = []
    ask = Readers.ask

    async def counted(self: Readers, query: Any) -> Any:
        asked.append(query)
        return await ask(self, query)

    monkeypatch.setattr(Readers, "ask", counted)
    schedule = {"intervalType": "simple", "interval": "10 minutes"}

    def wanted(among: list[Job]) -> list[GivenDefinition]:
        changed = [given(job, **(schedule if job.name > "Job 3" else {"description": "new"})) for job in among[1:]]
        new = [fresh(f"New {job.name}", **schedule) for job in among]
        taken = [fresh(job.name, slug=f"other-{job.slug}") for job in others[: len(among)]]
        return [given(among[0]), *changed, *new, *taken]

    for caller in (stage.me, bob):
        counts = []
        for among in (jobs[:3], jobs):
            asked.clear()
            acts = [change.act for change in (await stage.core.applying.plan(caller, wanted(among))).items]
            assert set(acts) == {"unchanged", "replace", "create", "refused"}
            counts.append(len(asked))
        assert counts[0] == counts[1] <= 8


async def test_what_is_had_at_hand_is_what_would_be_answered(stage: Stage) -> None:
    store = stage.core.store
    one, other = await stage.job("One"), await stage.job("Other", slug="one-more")
    await stage.job("one-more", slug="third")  # a name that is another job's slug
    keys = ["one", "one-more", "One", "Other", "nobody", one.id, f"operator:{one.slug}"]
    by_hand = {key: await answer(store, key) for key in keys}
    with store.looking():
        await store.foresee_jobs("default", keys, stage.me.user_id)
        assert {key: await answer(store, key) for key in keys} == by_hand
        assert (await store.definition(other.id)).slug == "one-more"
        await stage.edit(one, description="new")
        assert await store.get_job("default", "one") == by_hand["one"], "a look sees one state"
    assert (await store.get_job("default", "one")).description == "new"


async def answer(store: Store, key: str) -> Job | str:
    try:
        return await store.get_job("default", key)
    except NotFound as error:
        return error.message
