from __future__ import annotations

from datetime import timedelta
from timeit import repeat

import pytest

from shared.errors import InvalidInput
from shared.models.job import Dst
from shared.schedule import FireMark, FireNote, ScheduleSpec, notes, preview
from tests.unit.schedule.helpers import cron, once, simple, utc

NOW = utc("2026-03-20T12:00")


@pytest.mark.parametrize(
    ("expression", "zone", "says"),
    [
        ("* * * * *", "UTC", "every minute"),
        ("*/10 * * * *", "Europe/Berlin", "every 10 minutes"),
        ("*/7 * * * *", "UTC", "cron */7 * * * * (UTC)"),
        ("@hourly", "UTC", "hourly at :00 (UTC)"),
        ("15,45 * * * *", "UTC", "hourly at :15 and :45 (UTC)"),
        ("0 2 * * 1-5", "Europe/Berlin", "at 02:00 on weekdays (Europe/Berlin)"),
        ("0 2 * * *", "UTC", "at 02:00 (UTC)"),
        ("30 6,18 * * 0,6", "UTC", "at 06:30 and 18:30 on weekends (UTC)"),
        ("0 0 1 * *", "UTC", "at 00:00 on day 1 of the month (UTC)"),
        ("0 0 L * *", "UTC", "at 00:00 on the last day of the month (UTC)"),
        ("0 0 1 1 *", "UTC", "at 00:00 on day 1 in January (UTC)"),
        ("0 3 * * 5#2", "UTC", "at 03:00 on the second Friday (UTC)"),
        ("0 3 * * 5L", "UTC", "at 03:00 on the last Friday (UTC)"),
        ("0 3 13 * 5", "UTC", "at 03:00 on day 13 of the month or on Friday (UTC)"),
        ("0 9-17 * * 1-5", "UTC", "hourly from 09:00 to 17:00 on weekdays (UTC)"),
        ("0 */2 * * *", "UTC", "every 2 hours at :00 (UTC)"),
        ("*/10 * * * 1-5", "UTC", "every 10 minutes on weekdays (UTC)"),
        ("5 4 * 6-8 SUN", "UTC", "at 04:05 on Sunday from June to August (UTC)"),
        ("0 0 13 * */5", "UTC", "cron 0 0 13 * */5 (UTC)"),
        ("1-7 8-19/3 */2 * *", "UTC", "cron 1-7 8-19/3 */2 * * (UTC)"),
    ],
)
def test_cron_in_words(expression: str, zone: str, says: str) -> None:
    assert cron(expression, zone).describe() == says


def test_the_other_kinds_in_words() -> None:
    assert simple("10 MINUTES").describe() == "every 10 minutes"
    assert simple("1 hours").describe() == "every hour"
    assert simple("2 w").describe() == "every 2 weeks"
    assert once("2026-05-01T02:30", "Europe/Berlin").describe() == "once at 2026-05-01T02:30 (Europe/Berlin)"


def test_preview_begins_now_or_at_a_past_start() -> None:
    assert preview(ScheduleSpec("cron", "0 0 * * *"), NOW, None, 2) == [utc("2026-03-21"), utc("2026-03-22")]
    past = ScheduleSpec("simple", "1 hour", start_on="2026-01-01T10:00:00Z")
    assert preview(past, NOW, None, 2) == [utc("2026-01-01T10:00"), utc("2026-01-01T11:00")]
    future = ScheduleSpec("simple", "1 hour", start_on="2026-05-01T10:00:00Z")
    assert preview(future, NOW, None, 1) == [utc("2026-05-01T10:00")]


def test_preview_is_strictly_after_and_counts_from_now_without_an_anchor() -> None:
    spec = ScheduleSpec("simple", "10 minutes")
    assert preview(spec, NOW, NOW, 1) == [NOW + timedelta(minutes=10)]
    assert preview(spec, NOW, NOW + timedelta(minutes=10), 1) == [NOW + timedelta(minutes=20)]


def test_preview_counts() -> None:
    spec = ScheduleSpec("cron", "* * * * *", end_on="2026-03-20T12:03:00Z")
    assert len(preview(spec, NOW)) == 3
    assert preview(ScheduleSpec("none", None), NOW) == []
    assert len(preview(ScheduleSpec("cron", "0 0 29 2 *"), NOW, None, 1000)) == 1000
    for count in (0, -1, 1001):
        with pytest.raises(InvalidInput, match="count"):
            preview(spec, NOW, None, count)


def brief(note: FireNote) -> str:
    fires = "-" if note.fire_at is None else f"{note.fire_at:%d %H:%M}..{note.fire_until:%H:%M}"
    return f"{note.mark}: {note.count} x {note.wall:%d %H:%M}..{note.wall_until:%H:%M} at {fires}"


@pytest.mark.parametrize(
    ("expression", "dst", "says", "warned"),
    [
        (
            "*/15 2 * * *",
            {},
            [
                "skipped gap: 4 x 29 02:00..02:45 at -",
                "runs twice: 4 x 25 02:00..02:45 at 25 00:00..00:45",
                "second time: 4 x 25 02:00..02:45 at 25 01:00..01:45",
            ],
            2,
        ),
        (
            "30 2 * * *",
            {},
            ["moved to end of gap: 1 x 29 02:30..02:30 at 29 01:00..01:00", "first time: 1 x 25 02:30..02:30 at 25 00:30..00:30"],
            0,
        ),
        ("30 2 * * *", {"gap": "skip", "fold": "second"}, ["skipped gap: 1 x 29 02:30..02:30 at -", "second time: 1 x 25 02:30..02:30 at 25 01:30..01:30"], 1),
        (
            "*/30 * * * *",
            {},
            [
                "skipped gap: 2 x 29 02:00..02:30 at -",
                "runs twice: 2 x 25 02:00..02:30 at 25 00:00..00:30",
                "second time: 2 x 25 02:00..02:30 at 25 01:00..01:30",
            ],
            0,
        ),
        ("0 12 * * *", {}, [], 0),
    ],
)  # fmt: skip
def test_the_nights_concerned(expression: str, dst: dict[str, str], says: list[str], warned: int) -> None:
    found = notes(ScheduleSpec("cron", expression, "Europe/Berlin", dst=Dst.model_validate(dst)), NOW, 10)
    year = [note for note in found if note.shift_at.year == 2026]
    assert [brief(note) for note in year] == says
    assert sum(note.warning is not None for note in year) == warned


def test_a_night_without_any_run_is_warned_of() -> None:
    [skipped, *_] = notes(ScheduleSpec("cron", "*/15 2 * * *", "Europe/Berlin"), NOW, 10)
    assert skipped.mark is FireMark.SKIPPED
    assert skipped.warning == (
        "nothing runs on 2026-03-29: 02:00 to 03:00 does not exist in Europe/Berlin; "
        "dst.gap 'after' runs it once, at 03:00"
    )


def test_nights_outside_the_window_or_without_a_wall_are_no_concern() -> None:
    window = {"start_on": "2026-04-01", "end_on": "2026-10-01"}
    assert notes(ScheduleSpec("cron", "30 2 * * *", "Europe/Berlin", **window), NOW, 10) == []
    assert notes(ScheduleSpec("simple", "1 hour", "Europe/Berlin"), NOW, 10) == []
    days = notes(ScheduleSpec("simple", "1 day", "Europe/Berlin", start_on="2026-03-01T02:30"), NOW, 1)
    assert [note.mark for note in days] == [FireMark.MOVED, FireMark.FIRST]


@pytest.mark.parametrize("expression", ["*/10 * * * *", "0 2 * * *", "0 2 * * 1-5", "30 4 1,15 * 5", "0 0 L * *"])
def test_a_warm_next_is_quick(expression: str) -> None:
    """Aim: 50 µs; 100,000 jobs then take 5 s of one core, once. Best of several, as the machine may be busy."""
    schedule = cron(expression, "Europe/Berlin")
    schedule.next(NOW)
    assert min(repeat(lambda: schedule.next(NOW), number=200, repeat=15)) / 200 < 50e-6
