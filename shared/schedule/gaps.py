"""How close to each other a schedule's fires come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from shared.schedule.cron import parse_cron
from shared.schedule.instants import DAY, to_micros
from shared.schedule.spec import ScheduleSpec
from shared.schedule.walls import CronWalls
from shared.schedule.written import read_simple

_FIRST_DAY = to_micros(datetime(2024, 1, 1, tzinfo=UTC)) // DAY
_DAYS = date(2052, 1, 1).toordinal() - date(2024, 1, 1).toordinal()
"""28 years: after them dates fall on the same days of the week again."""


def shortest_gap(spec: ScheduleSpec) -> timedelta | None:
    """The least time between two fires as the clock on the wall counts it, hours that come twice or never left out; None
    for schedules that fire once or not at all. The spec is one that compiles."""
    if spec.interval_type == "simple" and spec.interval:
        return timedelta(microseconds=read_simple(spec.interval).step)
    return _of_cron(spec.interval) if spec.interval_type == "cron" and spec.interval else None


@lru_cache(maxsize=1024)
def _of_cron(expression: str) -> timedelta | None:
    cron = parse_cron(expression)
    times = [hour * 60 + minute for hour in cron.hours for minute in cron.minutes]
    within = min((later - earlier for earlier, later in pairwise(times)), default=None)
    overnight = times[0] + 24 * 60 - times[-1]
    if within is not None and within <= overnight:
        return timedelta(minutes=within)
    days = _days_between(CronWalls(cron))
    across = None if days is None else overnight + (days - 1) * 24 * 60
    found = [gap for gap in (within, across) if gap is not None]
    return timedelta(minutes=min(found)) if found else None


def _days_between(walls: CronWalls) -> int | None:
    """The least number of days from one that matches to the next."""
    least: int | None = None
    day = walls.first(_FIRST_DAY * DAY)
    while day is not None and day // DAY < _FIRST_DAY + _DAYS and least != 1:
        following = walls.first((day // DAY + 1) * DAY)
        if following is not None:
            between = following // DAY - day // DAY
            least = between if least is None else min(least, between)
        day = following
    return least
