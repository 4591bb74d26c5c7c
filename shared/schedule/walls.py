"""Which wall times a schedule names, the zone left out. All numbers are wall microseconds since 1970.

croniter is not asked for the next match: it walks with calendar arithmetic at 30 to 95 µs a step (this: about 2), and
with two restricted day fields it cannot do `0 0 1 * 5#2` at all ("failed to find next date").
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date
from typing import Protocol

from shared.schedule.cron import Cron
from shared.schedule.instants import DAY, EPOCH_ORDINAL, MINUTE

_LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_YEARS_AHEAD = 50


class Walls(Protocol):
    """An ordered set of wall times."""

    def first(self, low: int) -> int | None:
        """The first at or after `low`; None if there is none within 50 years."""

    def last(self, high: int) -> int | None:
        """The last at or before `high`; None if there is none within 50 years."""

    def count(self, low: int, high: int) -> int:
        """How many there are in [low, high)."""


class EveryDays:
    """The same time of day every `step` days, from `origin` on."""

    def __init__(self, origin: int, days: int) -> None:
        self._origin = origin
        self._step = days * DAY

    def first(self, low: int) -> int:
        return self._origin + max(0, -((self._origin - low) // self._step)) * self._step

    def last(self, high: int) -> int | None:
        return high - (high - self._origin) % self._step if high >= self._origin else None

    def count(self, low: int, high: int) -> int:
        first = self.first(low)
        return max(0, -((first - high) // self._step))


class CronWalls:
    """The minutes that match a cron expression."""

    def __init__(self, cron: Cron) -> None:
        self.cron = cron
        self._times = array("H", (hour * 60 + minute for hour in cron.hours for minute in cron.minutes))
        self._months = cron.months
        self._days: dict[tuple[int, int], tuple[int, ...]] = {}

    def first(self, low: int) -> int | None:
        day, rest = divmod(low, DAY)
        if self._matches(day):
            index = bisect_left(self._times, -(-rest // MINUTE))
            if index < len(self._times):
                return day * DAY + self._times[index] * MINUTE
        following = self._day_after(day)
        return None if following is None else following * DAY + self._times[0] * MINUTE

    def last(self, high: int) -> int | None:
        day, rest = divmod(high, DAY)
        if self._matches(day):
            index = bisect_right(self._times, rest // MINUTE)
            if index:
                return day * DAY + self._times[index - 1] * MINUTE
        preceding = self._day_before(day)
        return None if preceding is None else preceding * DAY + self._times[-1] * MINUTE

    def count(self, low: int, high: int) -> int:
        if high <= low:
            return 0
        (first, first_rest), (last, last_rest) = divmod(low, DAY), divmod(high, DAY)
        whole = self._days_in(first, last) * len(self._times)
        return whole - self._earlier(first, first_rest) + self._earlier(last, last_rest)

    def _earlier(self, day: int, rest: int) -> int:
        return bisect_left(self._times, -(-rest // MINUTE)) if self._matches(day) else 0

    def _matches(self, day: int) -> bool:
        on = date.fromordinal(day + EPOCH_ORDINAL)
        return on.month in self._months and on.day in self._days_of(on.year, on.month)

    def _day_after(self, day: int) -> int | None:
        on = date.fromordinal(day + EPOCH_ORDINAL)
        year, month, after = on.year, on.month, on.day
        for year_month in self._months_from(year, month):
            days = self._days_of(*year_month)
            index = bisect_right(days, after) if year_month == (year, month) else 0
            if index < len(days):
                return date(*year_month, days[index]).toordinal() - EPOCH_ORDINAL
        return None

    def _day_before(self, day: int) -> int | None:
        on = date.fromordinal(day + EPOCH_ORDINAL)
        year, month, before = on.year, on.month, on.day
        for year_month in self._months_until(year, month):
            days = self._days_of(*year_month)
            index = bisect_left(days, before) if year_month == (year, month) else len(days)
            if index:
                return date(*year_month, days[index - 1]).toordinal() - EPOCH_ORDINAL
        return None

    def _days_in(self, first: int, end: int) -> int:
        """How many matching dates there are in [first, end)."""
        low, high = date.fromordinal(first + EPOCH_ORDINAL), date.fromordinal(end + EPOCH_ORDINAL)
        start, stop = (low.year, low.month), (high.year, high.month)
        total = 0
        for year in range(low.year, high.year + 1):
            for month in self._months:
                if start <= (year, month) <= stop:
                    total += len(self._days_of(year, month))
        return total - self._in_month_before(low) - self._in_month_from(high)

    def _in_month_before(self, on: date) -> int:
        return bisect_left(self._days_of(on.year, on.month), on.day) if on.month in self._months else 0

    def _in_month_from(self, on: date) -> int:
        if on.month not in self._months:
            return 0
        days = self._days_of(on.year, on.month)
        return len(days) - bisect_left(days, on.day)

    def _months_from(self, year: int, month: int) -> Iterator[tuple[int, int]]:
        for each in range(year, min(year + _YEARS_AHEAD, 9998) + 1):
            yield from ((each, m) for m in self._months if each > year or m >= month)

    def _months_until(self, year: int, month: int) -> Iterator[tuple[int, int]]:
        for each in range(year, max(year - _YEARS_AHEAD, 2) - 1, -1):
            yield from ((each, m) for m in reversed(self._months) if each < year or m <= month)

    def _days_of(self, year: int, month: int) -> tuple[int, ...]:
        """The matching days of a month; they depend on its length and first weekday alone: 28 cases."""
        length = 29 if month == 2 and (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)) else _LENGTHS[month]
        start = date(year, month, 1).toordinal() % 7
        days = self._days.get((start, length))
        if days is None:
            days = self._days[start, length] = _matching_days(self.cron, start, length)
        return days


def _matching_days(cron: Cron, start: int, length: int) -> tuple[int, ...]:
    """`start`: the weekday of the 1st, Sunday = 0."""
    by_day = {day for day in cron.days if day <= length} | ({length} if cron.last_day else set())
    by_weekday = set()
    for day in range(1, length + 1):
        weekday = (start + day - 1) % 7
        nth = (weekday, (day + 6) // 7)
        last = day + 7 > length and weekday in cron.last_weekdays
        if weekday in cron.weekdays or nth in cron.nth_weekdays or last:
            by_weekday.add(day)
    return tuple(sorted(by_day | by_weekday if cron.either_day else by_day & by_weekday))
