"""Random expressions equal the minute-by-minute walk of the written rules, and cronsim where it follows them.

`make test` takes two thousand, the same each time; `make soak` 40,000, others each time.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from shared.models.job import Dst
from shared.schedule import Schedule, ScheduleSpec, compile_schedule
from tests.harness.long import seed
from tests.property.schedule.expressions import Meaning, draw
from tests.property.schedule.simulation import MARGIN, Window, shifts, walk
from tests.property.schedule.zones import ZONES

EXPRESSIONS = 2_000
MANY_EXPRESSIONS = 40_000
MOST_SHIFTS = 6
MOST_FIRES = 150
NEAR = timedelta(hours=3)
MINUTE = timedelta(minutes=1)


@cache
def windows(zone: str) -> list[Window]:
    """Four days around some shifts of the zone, and three ordinary days."""
    years = ZONES[zone]
    found = shifts(zone, years)
    if len(found) > MOST_SHIFTS:
        found = sorted(random.Random(zone).sample(found, MOST_SHIFTS))
    quiet = datetime(years.start, 5, 30, tzinfo=UTC)
    return [
        *(walk(zone, shift - MARGIN, shift + MARGIN, shift) for shift in found),
        walk(zone, quiet, quiet + timedelta(days=3)),
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_fires_are_those_of_the_written_rules(zone: str) -> None:
    _compare(zone, 2026, EXPRESSIONS)


@pytest.mark.soak
@pytest.mark.parametrize("zone", ZONES)
def test_fires_of_other_expressions_are_those_of_the_written_rules(zone: str) -> None:
    _compare(zone, seed(zone), MANY_EXPRESSIONS)


def _compare(zone: str, drawn: int, expressions: int) -> None:
    rng = random.Random(f"{drawn} {zone}")
    for _ in range(-(-expressions // len(ZONES))):
        window = rng.choice(windows(zone))
        meaning = _draw(rng, window)
        dst = _dst(rng)
        schedule = compile_schedule(ScheduleSpec("cron", meaning.expression, zone, dst=dst))
        expected = window.fires(meaning, dst.gap, dst.fold)
        said = f"{meaning.expression!r} in {zone} from {window.start}, {dst!r}"
        _check(schedule, window, expected, rng, said)
        if dst == Dst() and meaning.is_portable and _follows_the_rules(window):
            _check_cronsim(meaning, window, expected, said)


def _draw(rng: random.Random, window: Window) -> Meaning:
    """An expression that fires at some time; the others are refused, which has its own test."""
    at = (window.shift or window.start).astimezone(ZoneInfo(window.zone))
    hours = [(at.hour + offset) % 24 for offset in (-2, -1, 0, 0, 1)]
    while True:
        meaning = draw(rng, at.month, hours)
        days = (datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=each) for each in range(366 * 5))
        if any(meaning.has_day(day.date()) for day in days):
            return meaning


def _dst(rng: random.Random) -> Dst:
    if rng.random() < 0.6:
        return Dst()
    return Dst(gap=rng.choice([None, "after", "skip"]), fold=rng.choice([None, "first", "second", "both"]))


def _check(schedule: Schedule, window: Window, expected: list[datetime], rng: random.Random, said: str) -> None:
    before = window.start - MINUTE
    assert schedule.count(before, window.end) == len(expected), said
    if len(expected) <= MOST_FIRES:
        assert schedule.between(before, window.end, MOST_FIRES + 1) == expected, said
    else:
        centre = window.shift or window.start + MARGIN / 2
        near = [fire for fire in expected if centre - NEAR < fire <= centre + NEAR]
        assert schedule.between(centre - NEAR, centre + NEAR, 1000) == near, said
    for _ in range(3):
        at = window.start + timedelta(seconds=rng.randrange(len(window.minutes) * 60))
        earlier = bisect_right(expected, at)
        assert schedule.latest(at, before) == (expected[earlier - 1] if earlier else None), f"{said} at {at}"
        if earlier < len(expected):
            assert schedule.next(at) == expected[earlier], f"{said} at {at}"


def _follows_the_rules(window: Window) -> bool:
    """cronsim loses its way where the clock is set by anything but an hour, not on the hour, or at midnight.

    Lord Howe: it drops a fire; Chatham 2025: the quarter after the gap; Azores 2025: the hour after the gap;
    Beirut 2026: it gives 00:00, which does not exist; St. John's 2010: the same moment for ever.
    """
    if window.shift is None:
        return True
    zone, hour = ZoneInfo(window.zone), timedelta(hours=1)
    before, after = ((window.shift + side).astimezone(zone) for side in (-hour, hour))
    by_an_hour = abs(after.utcoffset() - before.utcoffset()) == hour
    return by_an_hour and after.minute == 0 and before.date() == after.date()


def _check_cronsim(meaning: Meaning, window: Window, expected: list[datetime], said: str) -> None:
    start = window.start if window.shift is None else window.shift - timedelta(hours=7)
    fires = CronSim(meaning.expression, (start - MINUTE).astimezone(ZoneInfo(window.zone)))
    expected = [fire for fire in expected if fire >= start]
    for fire in expected[:6]:
        assert next(fires).astimezone(UTC) == fire, f"cronsim: {said}"
