"""Moments and spans as people write them: ISO 8601, `N unit`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from shared.errors import InvalidInput
from shared.schedule.instants import DAY, HOUR, LAST, MINUTE, SECOND, to_micros, wall_to_micros
from shared.schedule.zone import Zone

_UNITS = {
    SECOND: ("s", "sec", "secs", "second", "seconds"),
    MINUTE: ("m", "min", "mins", "minute", "minutes"),
    HOUR: ("h", "hr", "hrs", "hour", "hours"),
    DAY: ("d", "day", "days"),
    7 * DAY: ("w", "week", "weeks"),
}
_SIZES = {name: size for size, names in _UNITS.items() for name in names}
_SIMPLE = re.compile(r"\s*([0-9]{1,9})\s*([a-z]+)\s*", re.IGNORECASE)
_LONGEST = 3660 * DAY
_FORM = "write ISO 8601, as in '2026-03-29T02:30:00', '2026-03-29T02:30:00Z' or '2026-03-29'"


@dataclass(frozen=True, slots=True)
class Written:
    """An ISO 8601 value: `instant` (UTC) if it carries its offset, else the `wall` time it names; in microseconds."""

    wall: int
    instant: int | None = None
    is_date: bool = False

    def moment(self, zone: Zone, fold: Literal["first", "second"] = "first") -> int:
        """UTC microseconds; a wall time follows the fixed-time rule."""
        return zone.resolve(self.wall, fold) if self.instant is None else self.instant

    def end(self, zone: Zone) -> int:
        """The last microsecond that still counts when this is an inclusive end."""
        return zone.resolve(self.wall + DAY) - 1 if self.is_date else self.moment(zone)


def read_moment(field: str, text: str, zone: Zone, *, forever: bool = False) -> Written:
    """An ISO 8601 moment, wall time or date; InvalidInput names `field`. `forever`: 9999 may stand for no end."""
    try:
        written = _read(text.strip(), zone)
    except (ValueError, OverflowError):
        raise InvalidInput.one(field, f"{text!r} is not a moment; {_FORM}", text) from None
    if forever and written.wall > LAST:
        return Written(LAST, LAST)
    if not 0 <= written.wall <= LAST:
        raise InvalidInput.one(field, f"{text!r} is too far away; the years 1970 to 9899 are known", text)
    return written


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple interval of `step` microseconds; `by_wall`: days and weeks, which keep their local time of day."""

    step: int
    by_wall: bool
    text: str


def read_simple(text: str) -> Simple:
    """`N unit`; InvalidInput names `interval`."""
    match = _SIMPLE.fullmatch(text)
    size = _SIZES.get(match[2].lower()) if match else None
    if match is None or size is None:
        right = "write a whole number and seconds, minutes, hours, days or weeks, as in '10 minutes'"
        raise InvalidInput.one("interval", f"{text!r} is not a simple interval; {right}", text)
    step = int(match[1]) * size
    if not SECOND <= step <= _LONGEST:
        raise InvalidInput.one("interval", f"{text!r} is not between 1 second and 3660 days", text)
    return Simple(step, size >= DAY, f"{int(match[1])} {_UNITS[size][-2]}")


def _read(text: str, zone: Zone) -> Written:
    try:
        return Written(wall_to_micros(datetime.combine(date.fromisoformat(text), datetime.min.time())), is_date=True)
    except ValueError:
        pass
    if not re.search(r"\d[Tt ]\d", text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return Written(wall_to_micros(moment))
    instant = to_micros(moment)
    return Written(zone.wall(instant) if 0 <= instant <= LAST else instant, instant)
