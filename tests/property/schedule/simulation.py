"""The written rules, walked through minute by minute. Shares nothing with the module but `zoneinfo`.

A window is a table of consecutive UTC minutes and the wall time of each. From it alone follows which wall times were
shown twice, and which never: the rules are then applied as they are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tests.property.schedule.expressions import Meaning

MARGIN = timedelta(days=2)


@dataclass
class Walls:
    """Wall times as columns: minute, hour, and the index of their date."""

    minute: np.ndarray
    hour: np.ndarray
    day: np.ndarray

    def matching(self, minutes: np.ndarray, hours: np.ndarray, days: np.ndarray) -> np.ndarray:
        return minutes[self.minute] & hours[self.hour] & days[self.day]


@dataclass
class Window:
    """UTC minutes from `start` on. `later`: this wall time was shown before; `again`: it will be shown once more."""

    zone: str
    minutes: list[datetime]
    shift: datetime | None
    shown: Walls
    dates: list[date]
    later: np.ndarray
    again: np.ndarray
    missing: Walls
    gap_end: np.ndarray
    """For each missing wall time: the UTC minute at which the gap that swallowed it ended."""

    @property
    def start(self) -> datetime:
        return self.minutes[0]

    @property
    def end(self) -> datetime:
        return self.minutes[-1]

    def fires(self, meaning: Meaning, gap: str | None, fold: str | None) -> list[datetime]:
        """All fires of the window by the written rules."""
        gap = gap or ("skip" if meaning.is_clock else "after")
        fold = fold or ("both" if meaning.is_clock else "first")
        sets = (_flags(meaning.minutes, 60), _flags(meaning.hours, 24), self._days(meaning))
        fires = self.shown.matching(*sets)
        if fold == "first":
            fires &= ~self.later
        elif fold == "second":
            fires &= ~self.again
        if gap == "after" and len(self.gap_end):
            fires[self.gap_end[self.missing.matching(*sets)]] = True
        return [self.minutes[index] for index in np.flatnonzero(fires)]

    def _days(self, meaning: Meaning) -> np.ndarray:
        return np.array([meaning.has_day(on) for on in self.dates])


def _flags(values: set[int], size: int) -> np.ndarray:
    flags = np.zeros(size, dtype=bool)
    flags[list(values)] = True
    return flags


def walk(zone: str, start: datetime, end: datetime, shift: datetime | None = None) -> Window:
    """The table of the minutes in [start, end)."""
    info = ZoneInfo(zone)
    size = int((end - start) / timedelta(minutes=1))
    minutes = [start + timedelta(minutes=index) for index in range(size)]
    walls = [minute.astimezone(info).replace(tzinfo=None) for minute in minutes]
    seen: dict[datetime, int] = {}
    later, again = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    missing: list[datetime] = []
    gap_end: list[int] = []
    for index, wall in enumerate(walls):
        if wall in seen:
            later[index] = True
            again[seen[wall]] = True
        seen[wall] = index
        leapt = walls[index - 1] + timedelta(minutes=1) if index else wall
        while leapt < wall:
            missing.append(leapt)
            gap_end.append(index)
            leapt += timedelta(minutes=1)
    dates = sorted({wall.date() for wall in [*walls, *missing]})
    shown, lost = _columns(walls, dates), _columns(missing, dates)
    return Window(zone, minutes, shift, shown, dates, later, again, lost, np.array(gap_end, dtype=int))


def _columns(walls: list[datetime], dates: list[date]) -> Walls:
    index = {on: place for place, on in enumerate(dates)}
    return Walls(
        np.array([wall.minute for wall in walls], dtype=int),
        np.array([wall.hour for wall in walls], dtype=int),
        np.array([index[wall.date()] for wall in walls], dtype=int),
    )


def shifts(zone: str, years: range) -> list[datetime]:
    """The minutes at which the zone's clock is set, found by looking at every half hour and then at every minute."""
    info = ZoneInfo(zone)
    found = []
    at, end = datetime(years.start, 1, 1, tzinfo=UTC), datetime(years.stop, 1, 1, tzinfo=UTC)
    offset = at.astimezone(info).utcoffset()
    while at < end:
        following = at + timedelta(hours=12)
        if (then := following.astimezone(info).utcoffset()) != offset:
            minute = at
            while minute.astimezone(info).utcoffset() == offset:
                minute += timedelta(minutes=1)
            found.append(minute)
            offset = then
        at = following
    return found
