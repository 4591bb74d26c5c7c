"""A time zone as the spans in which its offset stands still.

`zoneinfo` answers "what is the offset now?", but the rules ask "where does this offset end, and what comes then?".
So each zone is asked once, every five days from 1970 on, and what changed in between is halved down to the second:
no two shifts of any zone lie closer together since then (the closest: 6.96 days, Recife 2000 and Gaza from 2040 on).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, NamedTuple
from zoneinfo import TZPATH, ZoneInfo, available_timezones

from shared.errors import InvalidInput
from shared.schedule.instants import DAY, LAST, SECOND, YEAR

_PROBE = 5 * DAY
_AHEAD = 60 * YEAR
_FAR = -(1 << 62)
_NOT_ZONES = ("right/", "posix/")
_NOT_ZONE = ("localtime", "posixrules", "Factory")


class Span(NamedTuple):
    """UTC microseconds [start, end) in which the wall is `offset` ahead of UTC; `before`, `after`: its neighbours'."""

    start: int
    end: int
    offset: int
    before: int
    after: int


class Zone:
    """The shifts of one zone. Before 1970 the offset of 1970 is taken to hold."""

    def __init__(self, key: str, info: ZoneInfo) -> None:
        self.key = key
        self._info = info
        offset = self._offset(0)
        self._known = (0, [_FAR], [Span(_FAR, 0, offset, offset, offset)])

    def span_at(self, instant: int) -> Span:
        """The span that holds the instant. Where no shift is known ahead, its end is the edge of what was asked for."""
        covered, starts, spans = self._known
        if instant + 2 * YEAR > covered:
            covered, starts, spans = self._learn(min(instant, LAST) + _AHEAD)
        span = spans[bisect_right(starts, instant) - 1]
        # A shift just behind the edge would not be seen: a year before it is where knowledge is taken to end.
        return span if span.end < covered else span._replace(end=covered - YEAR)

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """The spans that touch [start, end), each seen once."""
        while start < end:
            span = self.span_at(start)
            # Where knowledge ended and no shift came, the span that follows is the same one, seen further.
            while span.end < end and (further := self.span_at(span.end)).start == span.start:
                span = further
            yield span
            start = span.end

    def instants(self, wall: int) -> list[int]:
        """The moments at which the wall shows this time: none in a gap, two in a doubled hour."""
        spans = self.spans(wall - 2 * DAY, wall + 2 * DAY)
        return [wall - span.offset for span in spans if span.start <= wall - span.offset < span.end]

    def resolve(self, wall: int, fold: Literal["first", "second"] = "first") -> int:
        """The moment that a wall time names by the fixed-time rule: the end of the gap if it does not exist."""
        if found := self.instants(wall):
            return found[-1] if fold == "second" else found[0]
        spans = self.spans(wall - 2 * DAY, wall + 2 * DAY)
        return next(span.start for span in spans if wall < span.start + span.offset)

    def wall(self, instant: int) -> int:
        """What the wall shows at a moment."""
        return instant + self.span_at(instant).offset

    def _learn(self, until: int) -> tuple[int, list[int], list[Span]]:
        covered, _, spans = self._known
        shifts = [(span.start, span.offset) for span in spans]
        offset = shifts[-1][1]
        while covered < until:
            then = self._offset(covered + _PROBE)
            if then != offset:
                shifts.append((self._shift_in(covered, covered + _PROBE), then))
                offset = then
            covered += _PROBE
        self._known = (covered, [start for start, _ in shifts], _spans(shifts, covered))
        return self._known

    def _shift_in(self, low: int, high: int) -> int:
        before = self._offset(low)
        while high - low > SECOND:
            middle = (low + high) // (2 * SECOND) * SECOND
            low, high = (middle, high) if self._offset(middle) == before else (low, middle)
        return high

    def _offset(self, instant: int) -> int:
        offset = datetime.fromtimestamp(instant // SECOND, self._info).utcoffset()
        assert offset is not None
        return (offset.days * 86_400 + offset.seconds) * SECOND


def _spans(shifts: list[tuple[int, int]], covered: int) -> list[Span]:
    before = [shifts[0], *shifts]
    behind = [*shifts[1:], (covered, shifts[-1][1])]
    return [
        Span(start, end, offset, earlier, later)
        for (start, offset), (_, earlier), (end, later) in zip(shifts, before, behind, strict=False)
    ]


@lru_cache(maxsize=1024)
def load_zone(key: str) -> Zone:
    """The zone of an IANA name; InvalidInput (field `timezone`) if there is none."""
    try:
        if key.startswith(_NOT_ZONES) or key in _NOT_ZONE:
            raise ValueError
        return Zone(key, ZoneInfo(key))
    except (LookupError, ValueError, OSError):
        near = get_close_matches(key.lower(), names := {name.lower(): name for name in available_timezones()}, n=1)
        advice = f"did you mean {names[near[0]]!r}?" if near else "write an IANA name, as in 'Europe/Berlin' or 'UTC'"
        raise InvalidInput.one("timezone", f"{key!r} is not a time zone; {advice}", key) from None


@lru_cache(maxsize=1)
def zone_data_version() -> str:
    """Which zone data decides: the system's where Python finds one, else the tzdata package's."""
    for folder in map(Path, TZPATH):
        if (folder / "UTC").exists() or (folder / "Etc" / "UTC").exists():
            return f"system {_system_version(folder)}"
    try:
        return f"tzdata {version('tzdata')}"
    except PackageNotFoundError:
        return "none"


def _system_version(folder: Path) -> str:
    for name in ("tzdata.zi", "+VERSION"):
        try:
            with (folder / name).open(encoding="ascii", errors="replace") as file:
                return file.readline().removeprefix("# version").strip()
        except OSError:
            continue
    return f"of {int(folder.stat().st_mtime)}"
