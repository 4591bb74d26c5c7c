"""How close fires come to each other, against what the schedule itself says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from shared.schedule import ScheduleSpec, compile_schedule
from shared.schedule.gaps import shortest_gap

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *", "*/7 * * * *", "59 23 * * *", "0 0,23 * * *", "0 0,23 * * 1", "58,2 * * * *", "0 12 * * 1,4",
        "0 6 1,15 * *", "30 4 L * *", "0 0 1 * 5#2", "0 1 29 2 *", "0 22 31 12 *", "0 3 1 1,12 *", "0 0 * * 6,0",
    ],
)  # fmt: skip
def test_of_cron_it_is_what_its_fires_say(expression: str) -> None:
    spec = ScheduleSpec("cron", expression)
    fires = compile_schedule(spec).between(BEGIN, BEGIN + timedelta(days=28 * 366), 4000)
    assert shortest_gap(spec) == min(later - earlier for earlier, later in pairwise(fires))


@pytest.mark.parametrize(("interval", "gap"), [("90 seconds", timedelta(seconds=90)), ("2 days", timedelta(days=2))])
def test_of_simple_intervals_it_is_the_interval(interval: str, gap: timedelta) -> None:
    assert shortest_gap(ScheduleSpec("simple", interval)) == gap


@pytest.mark.parametrize("spec", [ScheduleSpec("once", "2026-03-01T10:00Z"), ScheduleSpec("none", None)])
def test_what_fires_once_has_none(spec: ScheduleSpec) -> None:
    assert shortest_gap(spec) is None
