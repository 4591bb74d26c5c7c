from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import InvalidInput
from shared.models.job import Dst
from shared.schedule import ScheduleSpec, compile_schedule
from tests.unit.schedule.helpers import cron, local_fires, once, simple, utc

MICRO = timedelta(microseconds=1)
FAR = utc("2100-01-01")


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("1 second", timedelta(seconds=1)),
        ("90 SECONDS", timedelta(seconds=90)),
        ("10 minutes", timedelta(minutes=10)),
        ("10Minute", timedelta(minutes=10)),
        ("  5  min ", timedelta(minutes=5)),
        ("1 Hour", timedelta(hours=1)),
        ("24 hours", timedelta(hours=24)),
        ("1 day", timedelta(days=1)),
        ("2 Weeks", timedelta(weeks=2)),
        ("3660 days", timedelta(days=3660)),
    ],
)
def test_units(text: str, step: timedelta) -> None:
    created = utc("2026-01-01T12:34:56")
    fires = simple(text, anchor=created).between(created, FAR, 3)
    assert fires == [created + step, created + 2 * step, created + 3 * step]


@pytest.mark.parametrize(
    "text", ["", "10", "minutes", "0 minutes", "-5 minutes", "1.5 hours", "5 months", "1 year", "500 ms", "5 ss", "3661 days", "every 5 minutes", "DAILY", "٣ days"]
)  # fmt: skip
def test_intervals_that_are_none(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        simple(text)
    assert [fault.field for fault in refusal.value.faults] == ["interval"]


def test_the_creation_is_no_fire_but_start_on_is() -> None:
    created = utc("2026-01-01T12:00:00.7")
    assert simple("10 minutes", anchor=created).next(created - MICRO) == utc("2026-01-01T12:10")
    started = simple("10 minutes", anchor=created, start_on="2026-01-01T13:05:30Z")
    assert started.next(created) == utc("2026-01-01T13:05:30")


def test_hours_are_elapsed_and_days_keep_their_time_of_day() -> None:
    start = "2026-03-28T02:30"
    assert local_fires(simple("24 hours", "Europe/Berlin", start_on=start), "2026-03-28", 4) == [
        "28 02:30+0100", "29 03:30+0200", "30 03:30+0200", "31 03:30+0200"
    ]  # fmt: skip
    assert local_fires(simple("1 day", "Europe/Berlin", start_on=start), "2026-03-28", 4) == [
        "28 02:30+0100", "29 03:00+0200", "30 02:30+0200", "31 02:30+0200"
    ]  # fmt: skip
    assert local_fires(simple("1 day", "Europe/Berlin", start_on=start, dst=Dst(gap="skip")), "2026-03-28", 3) == [
        "28 02:30+0100", "30 02:30+0200"
    ]  # fmt: skip


def test_days_that_begin_inside_the_gap_stay_at_the_written_time() -> None:
    schedule = simple("1 day", "Europe/Berlin", start_on="2026-03-29T02:30")
    assert local_fires(schedule, "2026-03-29", 2) == ["29 03:00+0200", "30 02:30+0200"]


def test_days_from_an_aware_start_in_the_second_doubled_hour() -> None:
    schedule = simple("1 day", "Europe/Berlin", start_on="2026-10-25T02:30:00+01:00")
    assert local_fires(schedule, "2026-10-25", 2) == ["25 02:30+0100", "26 02:30+0100"]
    assert schedule.latest(utc("2026-10-25T12:00"), utc("2026-10-01")) == utc("2026-10-25T01:30")
    assert schedule.count(utc("2026-10-01"), utc("2026-10-31")) == 6


def test_days_from_the_creation_are_counted_on_the_wall() -> None:
    schedule = simple("1 week", "America/New_York", anchor=utc("2026-03-06T15:00"))
    assert schedule.between(utc("2026-03-06T15:00"), FAR, 2) == [utc("2026-03-13T14:00"), utc("2026-03-20T14:00")]


@pytest.mark.parametrize(
    ("text", "dst", "moment"),
    [
        ("2026-06-01T10:00:00Z", {}, "2026-06-01T10:00"),
        ("2026-06-01T10:00:00+02:00", {}, "2026-06-01T08:00"),
        ("2026-06-01T10:00", {}, "2026-06-01T08:00"),
        ("2026-06-01 10:00", {}, "2026-06-01T08:00"),
        ("2026-06-01", {}, "2026-05-31T22:00"),
        ("2026-03-29T02:30", {}, "2026-03-29T01:00"),
        ("2026-03-29T02:30", {"gap": "skip"}, "2026-03-29T01:00"),
        ("2026-10-25T02:30", {}, "2026-10-25T00:30"),
        ("2026-10-25T02:30", {"fold": "second"}, "2026-10-25T01:30"),
        ("2026-10-25T02:30", {"fold": "both"}, "2026-10-25T00:30"),
    ],
)
def test_once(text: str, dst: dict[str, str], moment: str) -> None:
    schedule = once(text, "Europe/Berlin", dst=Dst.model_validate(dst))
    assert schedule.between(utc("2026-01-01"), FAR, 5) == [utc(moment)]
    assert schedule.next(utc(moment)) is None
    assert schedule.latest(FAR, utc("2026-01-01")) == utc(moment)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "2026-02-30T00:00", "1767225600", "2026-06-01x10:00", "1969-01-01", "10:00", "9999-12-31T23:59:59-12:00"])  # fmt: skip
def test_moments_that_are_none(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        once(text)
    assert refusal.value.faults[0].field == "interval"


def test_by_hand_never_fires() -> None:
    schedule = compile_schedule(ScheduleSpec("none", None))
    assert schedule.next(utc("2026-01-01")) is None
    assert schedule.latest(FAR, utc("2026-01-01")) is None
    assert schedule.between(utc("2026-01-01"), FAR, 10) == []


def test_the_window_is_inclusive_at_both_ends() -> None:
    schedule = cron("0 * * * *", start_on="2026-01-01T10:00:00Z", end_on="2026-01-01T12:00:00Z")
    hours = [utc("2026-01-01T10:00"), utc("2026-01-01T11:00"), utc("2026-01-01T12:00")]
    assert schedule.between(utc("2025-01-01"), FAR, 10) == hours
    assert schedule.count(utc("2025-01-01"), FAR) == 3
    assert schedule.next(hours[-1]) is None
    assert schedule.latest(FAR, utc("2025-01-01")) == hours[-1]
    assert schedule.latest(hours[0] - MICRO, utc("2025-01-01")) is None
    assert schedule.latest(hours[1], hours[1]) is None


@pytest.mark.parametrize(
    ("zone", "start", "end", "opens", "closes"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("America/Havana", "2026-03-08", "2026-03-08", "2026-03-08T05:00", "2026-03-09T04:00"),
        ("America/Havana", "2026-11-01", "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00"),
        ("Africa/Cairo", "2026-10-29", "2026-10-29", "2026-10-28T21:00", "2026-10-29T22:00"),
    ],
)
def test_a_date_alone_is_the_whole_local_day(zone: str, start: str, end: str, opens: str, closes: str) -> None:
    schedule = cron("* * * * *", zone, start_on=start, end_on=end)
    assert schedule.window_start == utc(opens)
    assert schedule.window_end == utc(closes) - MICRO


def test_naive_ends_follow_the_fixed_time_rule() -> None:
    schedule = cron("* * * * *", "Europe/Berlin", start_on="2026-03-29T02:30", end_on="2026-10-25T02:30")
    assert schedule.window_start == utc("2026-03-29T01:00")
    assert schedule.window_end == utc("2026-10-25T00:30")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        cron("61 * * * *", "Nowhere", start_on="soon", end_on="later")
    assert [fault.field for fault in refusal.value.faults] == ["timezone", "startOn", "endOn", "interval"]


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(InvalidInput, match="endOn"):
        cron("* * * * *", start_on="2026-02-01", end_on="2026-01-31")
    assert cron("* * * * *", start_on="2026-02-01", end_on="2026-02-01").window_end


def test_for_ever_may_be_written() -> None:
    assert cron("0 0 1 1 *", end_on="9999-12-31").next(utc("2026-06-01")) == utc("2027-01-01")


@pytest.mark.parametrize("schedule", [cron("* * * * *", "Europe/Berlin"), simple("1 second"), simple("1 day")])
def test_the_ends_of_time(schedule: object) -> None:
    assert schedule.next(datetime.max.replace(tzinfo=UTC)) is None
    assert schedule.next(datetime.min.replace(tzinfo=UTC)) is not None
    assert schedule.latest(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)) is None


def test_millions_of_fires_are_not_walked() -> None:
    busy = cron("* * * * *", "Europe/Berlin")
    assert busy.count(utc("2000-01-01"), utc("2026-01-01")) == (utc("2026-01-01") - utc("2000-01-01")) // timedelta(
        minutes=1
    )
    assert busy.latest(utc("2026-01-01T00:00:59"), utc("2000-01-01")) == utc("2026-01-01")
    seconds = simple("1 second", start_on="2000-01-01")
    assert (
        seconds.count(utc("2000-01-01"), utc("2026-01-01")) == (utc("2026-01-01") - utc("2000-01-01")).total_seconds()
    )
