from __future__ import annotations

from collections.abc import Sequence

import pytest

from agent.core.ports import Store
from agent.core.records import RunUpdate
from shared.errors import Conflict
from shared.models import Event, Run, Worker
from tests.contract.store.making import MINUTE, NOW, Maker, completed, fence, started


@pytest.fixture
def heard(store: Store) -> list[Event]:
    heard: list[Event] = []
    store.subscribe(heard.extend)
    return heard


async def test_what_is_committed_is_told_in_order_and_is_the_same_in_the_table(
    store: Store, make: Maker, heard: list[Event]
) -> None:
    job = await make.job(next_fire_at=NOW)
    await make.settle(job, started(job, NOW), next_fire_at=NOW + MINUTE)
    [claimed] = await make.claim()
    await store.update_runs([RunUpdate(fence(claimed), progress={"done": 1}, log_total=5)], NOW)
    await store.finish([completed(claimed)], NOW)
    kinds = [event.kind for event in heard]
    assert kinds == [
        "job.created", "run.created", "fire.recorded", "run.changed", "run.progress", "run.log", "run.changed",
    ]  # fmt: skip
    assert await store.events_after("main", heard[0].id - 1, 100) == heard
    assert [event.id for event in heard] == sorted({event.id for event in heard})
    assert await store.last_event_id() == heard[-1].id


async def test_an_event_carries_the_resource(store: Store, make: Maker, heard: list[Event]) -> None:
    job = await make.job(next_fire_at=NOW)
    [run] = await make.settle(job, started(job, NOW), next_fire_at=NOW + MINUTE)
    created, told, fire = heard
    assert (created.subject_id, created.data["name"], created.data["nextRunAt"]) == (
        job.id,
        "Orders",
        "2026-03-01T12:00:00Z",
    )
    assert Run.model_validate(told.data) == run
    assert (fire.data["jobId"], fire.data["runId"], fire.data["nextRunAt"]) == (job.id, run.id, "2026-03-01T12:01:00Z")


async def test_progress_and_log_are_told_small(store: Store, make: Maker, heard: list[Event]) -> None:
    claimed = await make.claimed(await make.job())
    del heard[:]
    await store.update_runs([RunUpdate(fence(claimed), progress={"done": 2, "total": 4}, log_total=7)], NOW)
    progress, log = heard
    assert progress.data["runId"] == claimed.run.id
    assert (progress.data["progress"]["done"], log.data) == (2, {"runId": claimed.run.id, "total": 7})


async def test_what_is_refused_is_not_told(store: Store, make: Maker, heard: list[Event]) -> None:
    await make.job()
    with pytest.raises(Conflict):
        await make.job()
    assert [event.kind for event in heard] == ["job.created"]


async def test_a_listener_that_fails_or_leaves_disturbs_nobody(store: Store, make: Maker, heard: list[Event]) -> None:
    def fail(events: Sequence[Event]) -> None:
        raise ValueError(events)

    stop_failing = store.subscribe(fail)
    early: list[Event] = []
    stop = store.subscribe(early.extend)
    await make.job("one")
    stop()
    stop()
    stop_failing()
    await make.job("two")
    assert ([event.data["name"] for event in early], len(heard)) == (["one"], 2)


async def test_events_of_other_accounts_stay_theirs_and_workers_are_everybodys(store: Store, make: Maker) -> None:
    begun = await store.last_event_id()
    await make.job("mine")
    await make.job("theirs", account="other")
    worker = Worker(id="w1", agent_id="a1", pid=1, state="idle", started_at=NOW, heartbeat_at=NOW)
    await store.put_workers([worker], NOW)
    await store.put_workers([worker.model_copy(update={"heartbeat_at": NOW + MINUTE})], NOW)
    for account, name in (("main", "mine"), ("other", "theirs")):
        events = await store.events_after(account, begun, 10)
        assert events is not None
        assert [event.data.get("name") for event in events] == [name, None]
        assert events[1].kind == "worker.changed"
    [seen] = await store.list_workers()
    assert seen.heartbeat_at == NOW + MINUTE


async def test_a_pruned_position_is_answered_with_none(store: Store, make: Maker) -> None:
    for number in range(10):
        await make.job(f"job {number}")
    last = await store.last_event_id()
    assert await store.prune_events(4) == last - 4
    assert await store.prune_events(4) == 0
    assert await store.events_after("main", last - 5, 10) is None
    kept = await store.events_after("main", last - 4, 10)
    assert kept is not None
    assert len(kept) == 4
    assert await store.events_after("main", last + 1, 10) is None
    assert await store.prune_events(0) == 4
    assert (await store.last_event_id(), await store.events_after("main", last, 10)) == (last, [])


async def test_a_page_of_events_is_limited(store: Store, make: Maker) -> None:
    begun = await store.last_event_id()
    for number in range(5):
        await make.job(f"job {number}")
    page = await store.events_after("main", begun, 2)
    assert page is not None
    rest = await store.events_after("main", page[-1].id, 10)
    assert rest is not None
    assert (len(page), len(rest)) == (2, 3)
