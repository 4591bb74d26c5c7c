"""What the sentinels read and write: batches, positions, one open of a kind, pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.core.ports import Store
from agent.core.sentinels.records import Closed, Judged, LongRun, Opened, Watch
from shared.errors import NotFound
from shared.filters import parse
from shared.models import Event, SentinelKind
from tests.contract.store.making import MINUTE, NOW, Maker, completed, failed

HOUR = timedelta(hours=1)


def watch(**fields: object) -> Watch:
    return Watch(1, "work", 1, "rhythm", **fields)  # type: ignore[arg-type]


def opened(id_: str, kind: SentinelKind = "too_slow") -> Opened:
    return Opened(id_, kind, NOW, "because", {"observed": 3.0}, "run-1")


async def judge(store: Store, *judged: Judged, cursor: int | None = None) -> None:
    await store.write_judged(judged, cursor, NOW)


async def test_news_are_runs_that_ended_each_once(store: Store, make: Maker) -> None:
    job = await make.job()
    first = await make.claimed(job, "w1")
    second = await make.claimed(job, "w2")
    before = await store.sentinel_news(None, 100)
    assert (before.ended, before.more) == ([], False)
    await store.finish([failed(second, at=NOW + MINUTE)], NOW + MINUTE)
    await store.finish([completed(first, NOW + 2 * MINUTE)], NOW + 2 * MINUTE)
    news = await store.sentinel_news(before.cursor, 100)
    assert [(run.id, run.state) for run in news.ended] == [(second.run.id, "failed"), (first.run.id, "completed")]
    assert (await store.sentinel_news(news.cursor, 100)).ended == []


async def test_a_run_that_ends_between_two_parts_of_the_news_is_in_one_of_them(store: Store, make: Maker) -> None:
    claimed = await make.claimed(await make.job())
    await store.finish([completed(claimed, NOW + MINUTE)], NOW + MINUTE)
    cursor, seen, parts = 0, [], 0
    while True:
        news = await store.sentinel_news(cursor, 1)
        cursor, parts = news.cursor, parts + 1
        seen += [run.id for run in news.ended]
        if not news.more:
            break
    assert parts > 3
    assert seen == [claimed.run.id]


async def test_the_position_is_kept_with_what_was_judged(store: Store, make: Maker) -> None:
    claimed = await make.claimed(await make.job())
    await store.finish([completed(claimed, NOW + MINUTE)], NOW + MINUTE)
    news = await store.sentinel_news(None, 100)
    assert len(news.ended) == 1
    await judge(store, Judged(news.ended[0].job_number, watch(), [], []), cursor=news.cursor)
    again = await store.sentinel_news(None, 100)
    assert (again.ended, again.cursor) == ([], news.cursor)


async def test_of_changed_jobs_only_the_watched_are_news(store: Store, make: Maker) -> None:
    watched, other = await make.job("one"), await make.job("two")
    await judge(store, Judged(1, watch(), [], []))
    for job in (watched, other):
        await store.set_paused(job.id, NOW, None, NOW)
    assert (await store.sentinel_news(0, 100)).changed == {1}


async def test_a_watch_comes_back_as_it_was_written(store: Store, make: Maker) -> None:
    await make.job()
    [job] = await store.watched_jobs([1], [])
    assert (job.watch, job.open, job.is_enabled, job.is_paused, job.waiting) == (None, {}, True, False, None)
    for late in (NOW, NOW + HOUR):
        kept = watch(last_end=NOW, expected_at=NOW, overdue_at=late, slow_after=2.5, history={"outcomes": "SF"})
        await judge(store, Judged(1, kept, [], []))
        assert (await store.watched_jobs([1], []))[0].watch == kept


async def test_unheard_are_those_whose_time_has_come_longest_ago_first(store: Store, make: Maker) -> None:
    for number, late in enumerate((2 * MINUTE, MINUTE, HOUR, None), 1):
        await make.job(f"job {number}")
        await judge(store, Judged(number, watch(overdue_at=NOW + late if late else None), [], []))
    assert await store.unheard_jobs(NOW + 2 * MINUTE, 10) == [2, 1]
    assert await store.unheard_jobs(NOW + 2 * MINUTE, 1) == [2]


async def test_of_unheard_jobs_the_oldest_active_run_is_told(store: Store, make: Maker) -> None:
    job = await make.job()
    first, _second = await make.run(job), await make.run(job, due=NOW + HOUR)
    [found] = await store.watched_jobs([], [1])
    assert found.waiting is not None
    assert (found.waiting.id, found.waiting.state, found.waiting.available_at) == (first.id, "pending", NOW)
    assert (await store.watched_jobs([1], []))[0].waiting is None


async def test_what_runs_too_long_is_found_until_it_is_told(store: Store, make: Maker) -> None:
    claimed = await make.claimed(await make.job())
    assert await store.running_too_long(NOW + HOUR) == []
    await judge(store, Judged(1, watch(slow_after=60.0), [], []))
    assert await store.running_too_long(NOW + MINUTE) == []
    assert await store.running_too_long(NOW + 2 * MINUTE) == [LongRun(claimed.run.id, 1, NOW)]
    await judge(store, Judged(1, watch(slow_after=60.0), [opened("s1")], []))
    assert await store.running_too_long(NOW + 2 * MINUTE) == []


async def test_each_is_told_when_it_opens_and_when_it_closes(store: Store, make: Maker) -> None:
    job, told = await make.job("Orders"), list[Event]()
    store.subscribe(told.extend)
    await judge(store, Judged(1, watch(), [opened("s1"), opened("s2", "flapping")], []))
    await judge(store, Judged(1, watch(), [], [Closed("s1", "it is over")]))
    assert [(event.kind, event.subject_id) for event in told] == [
        ("sentinel.opened", "s1"), ("sentinel.opened", "s2"), ("sentinel.closed", "s1"),
    ]  # fmt: skip
    assert told[0].data["jobId"] == job.id
    assert (told[0].data["jobName"], told[0].data["why"], told[0].account_id) == ("Orders", "because", "main")
    assert told[2].data["closedBecause"] == "it is over"
    assert (await store.watched_jobs([1], []))[0].open == {"flapping": "s2"}


async def test_one_look_may_close_open_close_and_open(store: Store, make: Maker) -> None:
    await make.job()
    await judge(store, Judged(1, watch(), [opened("s1")], []))
    over = [Closed("s1", "first"), Closed("s2", "second")]
    await judge(store, Judged(1, watch(), [opened("s2"), opened("s3")], over))
    found = {each.id: each.closed_because for each in await store.list_sentinels("main")}
    assert found == {"s1": "first", "s2": "second", "s3": None}


async def test_pages_by_state_kind_and_job(store: Store, make: Maker) -> None:
    one, _two = await make.job("one"), await make.job("two")
    foreign = await make.job("foreign", account="other")
    await judge(store, Judged(1, watch(), [opened("a"), opened("b", "overdue")], []))
    await judge(store, Judged(2, watch(), [opened("c")], []), Judged(3, watch(), [opened("d")], []))
    await judge(store, Judged(1, watch(), [], [Closed("a", "over")]))

    async def ids(**which: object) -> list[str]:
        return [each.id for each in await store.list_sentinels("main", **which)]  # type: ignore[arg-type]

    assert await ids() == ["c", "b", "a"]
    assert await ids(is_open=True) == ["c", "b"]
    assert await ids(is_open=False) == ["a"]
    assert await ids(kind="too_slow") == ["c", "a"]
    assert await ids(job_id=one.id) == ["b", "a"]
    assert await ids(job_id=foreign.id) == []
    assert await ids(before=(await store.get_sentinel("main", "c")).number, limit=1) == ["b"]
    assert await store.count_open_sentinels("main") == {("too_slow", False): 1, ("overdue", False): 1}
    with pytest.raises(NotFound):
        await store.get_sentinel("main", "d")
    with pytest.raises(NotFound):
        await store.acknowledge_sentinel("main", "d", "anna", NOW)


async def test_jobs_are_found_by_what_is_open_of_them(store: Store, make: Maker) -> None:
    jobs = [await make.job(name) for name in ("one", "two", "three")]
    await judge(store, Judged(1, watch(), [opened("a"), opened("b", "overdue")], []))
    await judge(store, Judged(2, watch(), [opened("c")], []))
    await judge(store, Judged(2, watch(), [], [Closed("c", "over")]))
    cases = {"sentinel:overdue": ["one"], "sentinel:none": ["three", "two"], "-sentinel:none": ["one"],
             "sentinel:~too": ["one"], "sentinel:flapping": []}  # fmt: skip
    for words, names in cases.items():
        where = parse(words, "job")
        found, _ = await store.list_jobs("main", where=where)
        assert [job.name for job in found] == names, words
        known = [await store.get_job("main", job.id) for job in jobs]
        assert sorted(job.name for job in known if where.matches(job, NOW)) == names, words


async def test_closed_ones_are_deleted_in_time(store: Store, make: Maker) -> None:
    await make.job()
    await judge(store, Judged(1, watch(), [opened("a"), opened("b", "overdue")], []))
    await judge(store, Judged(1, watch(), [], [Closed("a", "over")]))
    assert await store.prune_sentinels(NOW) == 0
    assert await store.prune_sentinels(NOW + MINUTE) == 1
    assert [each.id for each in await store.list_sentinels("main")] == ["b"]
