from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from agent.core.ports import Store
from agent.core.records import ActiveLimit, JobChange
from agent.store.jobs import jobs
from shared.clock import ManualClock
from shared.errors import Conflict, InvalidInput, LimitReached, NotFound, StaleVersion
from shared.filters import parse
from shared.states import RunState
from tests.contract.store.making import MINUTE, NOW, Maker, completed, definition, marks


async def test_a_published_job_reads_back_as_it_was_given(store: Store, make: Maker) -> None:
    policies = {"timeout": "1234567 s", "retry": {"attempts": 5, "backoff": "1.5 s"}, "priority": 3}
    made = await make.job(
        "Ärger",
        tags=["b", "a"],
        data={"x": [1, None, "ü"]},
        policies=policies,
        interval_type="cron",
        interval="* * * * *",
    )
    read = await store.get_job("main", made.id)
    assert read == made
    assert (read.tags, read.data, read.revision, read.version) == (["b", "a"], {"x": [1, None, "ü"]}, 1, 1)
    assert read.policies.timeout == timedelta(seconds=1234567)
    assert read.policies.retry.backoff == timedelta(seconds=1.5)


async def test_a_job_is_found_by_id_by_slug_and_by_natural_id(store: Store, make: Maker) -> None:
    job = await make.job("Orders", slug="orders-index")
    for key in (job.id, "orders-index", "anna:orders-index"):
        assert (await store.get_job("main", key)).id == job.id
    for key in ("nobody:orders-index", "orders", "other"):
        with pytest.raises(NotFound):
            await store.get_job("main", key)
    with pytest.raises(NotFound):
        await store.get_job("other-account", job.id)


async def test_a_name_is_taken_once_in_an_account_and_free_after_deletion(store: Store, make: Maker) -> None:
    job = await make.job("Orders")
    with pytest.raises(Conflict) as conflict:
        await make.job("Orders")
    assert conflict.value.field == "name"
    await make.job("Orders", account="other")
    await store.delete_job(job.id, None, NOW)
    await make.job("Orders")


async def test_a_job_is_found_by_its_name_after_all_slugs(store: Store, make: Maker) -> None:
    named = await make.job("Nightly: orders")
    other = await make.job("another", slug="backup")
    await make.job("backup", slug="not-this-one")
    assert (await store.get_job(named.account_id, "Nightly: orders")).id == named.id
    assert (await store.get_job(named.account_id, "backup")).id == other.id


async def test_a_slug_that_nobody_chose_gives_way_and_a_chosen_one_does_not(store: Store, make: Maker) -> None:
    slugs = [(await make.job(name)).slug for name in ("a b", "A b", "a B")]
    assert slugs == ["a-b", "a-b-2", "a-b-3"]
    with pytest.raises(Conflict) as conflict:
        await make.job("another", slug="a-b-2")
    assert conflict.value.field == "slug"


async def test_the_limit_is_counted_in_the_inserting_transaction(store: Store, make: Maker) -> None:
    limit = ActiveLimit("kb_sync", 3)
    await make.job("over", through="kb_sync", window_end=NOW - MINUTE)
    await make.job("other way", through="api")
    tries = (make.job(f"job {number}", through="kb_sync", limit=limit) for number in range(10))
    made = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(each) for each in made].count(LimitReached) == 7


async def test_replacing_makes_the_next_revision_and_keeps_the_old(store: Store, make: Maker) -> None:
    job = await make.job("Orders", tags=["old"])
    change = JobChange(job.id, definition("Renamed", description="new words", tags=["new"]), marks(NOW), "bob-id")
    changed = await store.replace_job(change, job.version, NOW + MINUTE)
    assert (changed.name, changed.slug, changed.revision, changed.version) == ("Renamed", "orders", 2, 2)
    assert changed.next_run_at == NOW
    assert (await store.definition(job.id, 1)).name == "Orders"
    assert (await store.definition(job.id)).name == "Renamed"
    revisions = await store.revisions(job.id)
    assert [(each["revision"], each["authorId"]) for each in revisions] == [(2, "bob-id"), (1, "anna-id")]
    assert await _names(store, "words") == ["Renamed"]
    assert [job.name for job in (await store.list_jobs("main", where=parse("tag:old", "job")))[0]] == []


async def test_a_stale_version_is_refused_and_changes_nothing(store: Store, make: Maker) -> None:
    job = await make.job("Orders")
    change = JobChange(job.id, definition("Renamed"), marks(), "bob-id")
    await store.replace_job(change, 1, NOW)
    for version in (1, 3):
        with pytest.raises(StaleVersion):
            await store.replace_job(change, version, NOW)
        with pytest.raises(StaleVersion):
            await store.delete_job(job.id, version, NOW)
    assert (await store.get_job("main", job.id)).version == 2


async def test_the_high_water_mark_never_goes_back(store: Store, make: Maker) -> None:
    job = await make.job("Orders", next_fire_at=NOW)
    await make.settle(job, high_water=NOW + MINUTE, next_fire_at=NOW)
    await store.replace_job(JobChange(job.id, definition("Orders"), marks(NOW), "anna-id"), None, NOW)
    assert (await store.due_state("main", job.id)).high_water == NOW + MINUTE


async def test_a_paused_job_is_not_due_and_promises_nothing(store: Store, make: Maker) -> None:
    job = await make.job("Orders", next_fire_at=NOW)
    paused = await store.set_paused(job.id, NOW, NOW, NOW)
    assert (paused.paused_at, paused.next_run_at, paused.version) == (NOW, None, 2)
    assert await store.due_jobs(NOW, 10) == []
    assert await store.next_due() is None
    state = await store.due_state("main", job.id)
    assert (state.paused_since, state.job.next_run_at) == (NOW, NOW)
    resumed = await store.set_paused(job.id, None, NOW + MINUTE, NOW)
    assert (resumed.paused_at, resumed.next_run_at) == (None, NOW + MINUTE)
    assert (await store.due_state("main", job.id)).paused_since is None


async def test_deleting_cancels_what_waits_and_leaves_what_runs(store: Store, make: Maker) -> None:
    job = await make.job("Orders")
    running = await make.claimed(job)
    waiting = await make.run(job)
    await store.delete_job(job.id, None, NOW)
    cancelled = await make.read(waiting)
    assert (cancelled.state, cancelled.finished_at) == (RunState.CANCELLED, NOW)
    assert cancelled.error is not None
    assert cancelled.error.kind == "job_deleted"
    assert (await make.read(running)).state == RunState.RUNNING
    with pytest.raises(NotFound):
        await store.get_job("main", job.id)
    assert (await store.definition(job.id)).name == "Orders"


async def _names(store: Store, q: str = "", sort: str = "name") -> list[str]:
    return [job.name for job in (await store.list_jobs("main", q=q, sort=sort))[0]]


async def test_plain_words_find_names_and_descriptions_and_are_never_an_error(store: Store, make: Maker) -> None:
    await make.job("Sync läuft")
    await make.job("Backup", description="copies the orders_db (nightly)")
    assert await _names(store, "LAUF") == ["Sync läuft"]
    assert await _names(store, "orders night") == ["Backup"]
    assert await _names(store, "orders weekly") == []
    for strange in ('"', "a* OR (", "name:", "NEAR(", "-", "'; --", "💥"):
        assert await _names(store, strange) == []
    assert len(await _names(store, "   ")) == 2


async def test_lists_are_sorted_paged_and_counted(store: Store, make: Maker) -> None:
    for index, name in enumerate(("beta", "Alpha", "gamma")):
        await make.job(name, next_fire_at=NOW + index * MINUTE if name != "gamma" else None)
    assert await _names(store) == ["Alpha", "beta", "gamma"]
    assert await _names(store, sort="-name") == ["gamma", "beta", "Alpha"]
    assert await _names(store, sort="nextRunAt") == ["beta", "Alpha", "gamma"]
    assert await _names(store, sort="-nextRunAt") == ["Alpha", "beta", "gamma"]
    page, total = await store.list_jobs("main", limit=1, start=1)
    assert ([job.name for job in page], total) == (["beta"], 3)
    with pytest.raises(InvalidInput) as refused:
        await store.list_jobs("main", sort="size")
    assert refused.value.faults[0].field == "sort"


async def test_a_list_shows_the_last_twenty_states_newest_last(store: Store, make: Maker) -> None:
    job, other = await make.job("Orders"), await make.job("Other")
    for _ in range(22):
        await store.finish([completed(await make.claimed(job))], NOW)
    await make.claimed(job)
    await make.run(job)
    page, _ = await store.list_jobs("main")
    assert page[0].recent == ["completed"] * 18 + ["running", "pending"]
    assert page[1].id == other.id
    assert page[1].recent == []


async def test_locked_at_is_when_the_active_run_was_claimed(store: Store, make: Maker, clock: ManualClock) -> None:
    job = await make.job("Orders")
    assert (await store.get_job("main", job.id)).locked_at is None
    claimed = await make.claimed(job)
    assert (await store.get_job("main", job.id)).locked_at == NOW
    await store.finish([completed(claimed)], NOW)
    assert (await store.get_job("main", job.id)).locked_at is None


async def test_statistics_come_from_completed_runs(store: Store, make: Maker) -> None:
    job = await make.job("Orders")
    for seconds in range(1, 131):
        await store.finish([completed(await make.claimed(job), NOW + timedelta(seconds=seconds))], NOW)
    found = await store.statistics([job.id, "unknown"])
    assert (found[job.id].median, found[job.id].p90, found[job.id].count) == (80.5, 120.0, 100)
    assert (found["unknown"].median, found["unknown"].count) == (None, 0)
    active = await make.run(job)
    assert (active.expected_seconds, active.late_after_seconds) == (80.5, 120.0)


async def test_names_that_come_to_one_slug_are_told_apart_without_trying_every_number(
    store: Store, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    is_taken = jobs._is_taken

    def counted(connection: Any, account: str, column: str, value: str) -> bool:
        asked.extend([value] * (column == "slug"))
        return is_taken(connection, account, column, value)

    monkeypatch.setattr(jobs, "_is_taken", counted)
    slugs = []
    for number in range(70):
        asked.clear()
        name = "".join(letter.upper() if number >> place & 1 else letter for place, letter in enumerate("nightly"))
        slugs.append((await make.job(name)).slug)
    assert slugs == ["nightly", *(f"nightly-{number}" for number in range(2, 71))]
    assert len(asked) < 20
