"""`What becomes of a fire`, rule by rule."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.models.job import CatchUp, CatchUpMode, Overlap
from shared.schedule import FireState, ScheduleSpec, Settlement, compile_schedule, settle
from tests.unit.schedule.helpers import utc

NOON = utc("2026-06-01T12:00")
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def state(expression: str = "*/10 * * * *", **more: Any) -> FireState:
    kind = "simple" if "second" in expression else "cron"
    given: dict[str, Any] = {
        "schedule": compile_schedule(ScheduleSpec(kind, expression, anchor=NOON)),
        "overlap": "skip",
        "catch_up": CatchUp(),
        "jitter": timedelta(0),
        "high_water": NOON,
        "paused_since": None,
        "active": 0,
        "queued": 0,
    }
    return FireState(**(given | more))


def settled(given: FireState, after: timedelta, **more: Any) -> Settlement:
    return settle(given, NOON + after, random.Random(1), **more)


def words(settlement: Settlement) -> list[str]:
    """`minutes after noon: outcome reason`, `+` where a run starts, `>` where it waits for the others."""
    return [
        f"{(row.fire_at - NOON) / MINUTE:g}: {row.outcome} {row.reason}{'+' * row.starts}{'>' * row.chained}"
        for row in settlement.verdicts
    ]


def test_nothing_is_due() -> None:
    settlement = settled(state(), 9 * MINUTE)
    assert (settlement.verdicts, settlement.more, settlement.cancel_running) == ([], False, False)
    assert settlement.high_water == NOON + 9 * MINUTE
    assert settlement.next_fire == NOON + 10 * MINUTE


@pytest.mark.parametrize(("late", "reason"), [(0, "on_time"), (59, "on_time"), (60, "on_time"), (61, "caught_up")])
def test_on_time_is_within_sixty_seconds(late: int, reason: str) -> None:
    [row] = settled(state(), 10 * MINUTE + late * SECOND).verdicts
    assert (row.reason, row.starts, row.chained) == (reason, True, reason == "caught_up")


@pytest.mark.parametrize(
    ("overlap", "active", "queued", "says", "cancels"),
    [
        ("skip", 0, 0, "started on_time+", False),
        ("skip", 1, 0, "skipped overlap_active", False),
        ("skip", 1, 1, "skipped overlap_active", False),
        ("queue_one", 0, 0, "started on_time+", False),
        ("queue_one", 1, 0, "started queued_behind+>", False),
        ("queue_one", 1, 1, "started queued_behind+>", False),
        ("queue_one", 2, 1, "skipped overlap_queue_full", False),
        ("queue_one", 2, 2, "skipped overlap_queue_full", False),
        ("queue_all", 1, 0, "started queued_behind+>", False),
        ("queue_all", 100, 99, "started queued_behind+>", False),
        ("queue_all", 101, 100, "skipped overlap_queue_full", False),
        ("cancel_running", 0, 0, "started on_time+", False),
        ("cancel_running", 2, 1, "started replaced_running+>", True),
        ("allow", 7, 3, "started on_time+", False),
    ],
)
def test_overlap(overlap: Overlap, active: int, queued: int, says: str, cancels: bool) -> None:
    settlement = settled(state(overlap=overlap, active=active, queued=queued), 10 * MINUTE)
    assert words(settlement) == [f"10: {says}"]
    assert settlement.cancel_running is cancels


@pytest.mark.parametrize(
    ("overlap", "fates"),
    [
        ("skip", ["started on_time+"] + ["skipped overlap_active"] * 2),
        ("queue_one", ["started on_time+", "started queued_behind+>", "skipped overlap_queue_full"]),
        ("queue_all", ["started on_time+"] + ["started queued_behind+>"] * 2),
        ("allow", ["started on_time+"] * 3),
        ("cancel_running", ["coalesced stands_for_later"] * 2 + ["started on_time+"]),
    ],
)
def test_several_at_once_count_each_other(overlap: Overlap, fates: list[str]) -> None:
    settlement = settled(state("15 seconds", overlap=overlap), 45 * SECOND)
    assert [word.split(": ")[1] for word in words(settlement)] == fates
    assert not settlement.cancel_running


@pytest.mark.parametrize(
    ("mode", "fates"),
    [
        ("latest", ["coalesced stands_for_later", "coalesced stands_for_later", "started caught_up+>"]),
        ("all", ["started caught_up+>", "held awaiting_turn", "held awaiting_turn"]),
        ("none", ["missed catch_up_none"] * 3),
    ],
)
@pytest.mark.parametrize("overlap", ["skip", "queue_one", "queue_all", "cancel_running", "allow"])
def test_catch_up_whatever_the_overlap(mode: CatchUpMode, fates: list[str], overlap: Overlap) -> None:
    given = state(catch_up=CatchUp(mode=mode), overlap=overlap, active=2)
    settlement = settled(given, 35 * MINUTE)
    assert [word.split(": ")[1] for word in words(settlement)] == fates
    assert not settlement.cancel_running
    stands = NOON + 30 * MINUTE if mode == "latest" else None
    assert [row.stands_in_fire_at for row in settlement.verdicts[:2]] == [stands, stands]


def test_only_runs_from_before_are_cancelled() -> None:
    """What was missed and what is on time come in one settlement: the caught-up run goes first, it is not cancelled."""
    given = state(overlap="cancel_running")
    assert words(settled(given, 20 * MINUTE)) == ["10: started caught_up+>", "20: started queued_behind+>"]
    assert not settled(given, 20 * MINUTE).cancel_running
    replacing = settled(replace(given, active=1), 20 * MINUTE)
    assert words(replacing) == ["10: started caught_up+>", "20: started replaced_running+>"]
    assert replacing.cancel_running
    later_part = settled(replace(given, active=1, fresh=1, high_water=NOON + 10 * MINUTE), 20 * MINUTE)
    assert words(later_part) == ["20: started queued_behind+>"]
    assert not later_part.cancel_running


@pytest.mark.parametrize(
    ("mode", "held_minutes", "fates"),
    [
        ("all", 30, ["held awaiting_operator"] * 3 + ["started on_time+"]),
        ("all", 20, ["held awaiting_operator"] * 2 + ["started caught_up+>", "skipped overlap_active"]),
        ("latest", 30, ["coalesced stands_for_later"] * 2 + ["held awaiting_operator", "started on_time+"]),
        ("latest", 20, ["coalesced stands_for_later"] * 2 + ["started caught_up+>", "skipped overlap_active"]),
        ("none", 30, ["missed catch_up_none"] * 3 + ["started on_time+"]),
    ],
)
def test_what_is_held_stops_nothing_that_is_on_time(mode: CatchUpMode, held_minutes: int, fates: list[str]) -> None:
    given = state(catch_up=CatchUp(mode=mode), held_up_to=NOON + held_minutes * MINUTE)
    settlement = settled(given, 40 * MINUTE)
    assert [word.split(": ")[1] for word in words(settlement)] == fates
    assert settlement.high_water == NOON + 40 * MINUTE


def test_behind_a_job_that_is_catching_up_even_the_latest_waits_for_its_turn() -> None:
    settlement = settled(state(active=1, catching_up=True), 25 * MINUTE)
    assert words(settlement) == ["10: coalesced stands_for_later", "20: held awaiting_turn"]


def test_the_catch_up_window_counts_to_the_second() -> None:
    given = state(catch_up=CatchUp(mode="all", window=HOUR))
    at = settled(given, 80 * MINUTE + timedelta(0)).verdicts
    assert [(row.reason, row.count) for row in at[:2]] == [("outside_catch_up_window", 1), ("caught_up", 1)]
    assert at[1].fire_at == NOON + 20 * MINUTE
    later = settled(given, 80 * MINUTE + SECOND).verdicts
    assert (later[0].fire_at, later[0].until, later[0].count) == (NOON + 10 * MINUTE, NOON + 20 * MINUTE, 2)


@pytest.mark.parametrize("mode", ["latest", "all", "none"])
def test_a_year_of_downtime_is_bounded_work(mode: CatchUpMode) -> None:
    given = state("1 second", catch_up=CatchUp(mode=mode), high_water=NOON)
    began = time.process_time()
    settlement = settled(given, 365 * DAY)
    assert time.process_time() - began < 10, "thirty million moments, one by one"
    assert settlement.more
    assert len(settlement.verdicts) == 1000
    span = settlement.verdicts[0]
    assert span.count == 364 * 86_400 - 1
    assert span.until == NOON + 364 * DAY - SECOND
    assert settlement.high_water == settlement.verdicts[-1].fire_at
    assert settlement.next_fire == settlement.high_water + SECOND


def test_a_clock_set_back_fires_nothing_twice() -> None:
    given = state(high_water=NOON + HOUR)
    settlement = settled(given, 10 * MINUTE)
    assert settlement.verdicts == []
    assert settlement.high_water == NOON + HOUR
    assert settlement.next_fire == NOON + HOUR + 10 * MINUTE


def test_a_pause_is_one_row() -> None:
    given = state(paused_since=NOON + 15 * MINUTE)
    settlement = settled(given, 3 * HOUR)
    assert words(settlement) == ["10: started caught_up+>", "20: paused job_paused"]
    assert (settlement.verdicts[1].count, settlement.verdicts[1].until) == (17, NOON + 3 * HOUR)
    assert settlement.next_fire is None


def test_a_pause_covers_the_moment_it_begins() -> None:
    [row] = settled(state(paused_since=NOON + 10 * MINUTE), 10 * MINUTE).verdicts
    assert (row.outcome, row.count, row.until) == ("paused", 1, NOON + 10 * MINUTE)


def test_a_pause_of_years_is_counted_not_walked() -> None:
    given = state("1 second", paused_since=NOON - DAY)
    settlement = settled(given, 3650 * DAY, limit=1)
    assert not settlement.more
    assert [row.count for row in settlement.verdicts] == [3650 * 86_400]


def test_jitter_shifts_the_start_of_runs_alone() -> None:
    given = state("15 seconds", jitter=timedelta(seconds=30))
    started, *skipped = settled(given, 45 * SECOND).verdicts
    assert timedelta(0) < started.delay <= timedelta(seconds=30)
    assert started.fire_at == NOON + 15 * SECOND
    assert [row.delay for row in skipped] == [timedelta(0)] * 2
    drawn = [settle(given, NOON + 15 * SECOND, random.Random(seed)).verdicts[0].delay for seed in range(20)]
    assert len(set(drawn)) == 20
    assert drawn[1] == settle(given, NOON + 15 * SECOND, random.Random(1)).verdicts[0].delay


def test_after_the_end_nothing_is_due() -> None:
    ended = compile_schedule(ScheduleSpec("cron", "*/10 * * * *", end_on="2026-06-01T12:20:00Z"))
    settlement = settled(state(schedule=ended, catch_up=CatchUp(mode="all")), DAY)
    assert [row.fire_at for row in settlement.verdicts] == [NOON + 10 * MINUTE, NOON + 20 * MINUTE]
    assert settlement.next_fire is None


def test_more_goes_on_where_it_stopped() -> None:
    given = state("1 second", catch_up=CatchUp(mode="latest", window=HOUR))
    now, rows = 2 * HOUR, []
    while True:
        settlement = settled(given, now, limit=700)
        rows += settlement.verdicts
        given = replace(given, high_water=settlement.high_water)
        if not settlement.more:
            break
    assert sum(row.count for row in rows) == 2 * 3600
    standing: set[datetime | None] = {row.stands_in_fire_at for row in rows if row.outcome == "coalesced"}
    assert standing == {NOON + now - 61 * SECOND}
