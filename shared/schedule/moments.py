"""The moments of a schedule, without its window. All numbers are UTC microseconds since 1970."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from shared.schedule.instants import LAST, YEAR
from shared.schedule.walls import Walls
from shared.schedule.zone import Span, Zone

_HORIZON = 51 * YEAR
Gap = Literal["after", "skip"]
Fold = Literal["first", "second", "both"]


class Moments(Protocol):
    """An ordered set of moments."""

    def next(self, after: int, /) -> int | None:
        """The first after `after`."""

    def last(self, until: int, /) -> int | None:
        """The last at or before `until`."""

    def count(self, after: int, until: int, /) -> int:
        """How many in (after, until]; never counted one by one."""


class Never:
    """No moment at all: a job that runs by hand only."""

    def next(self, _after: int, /) -> None:
        return None

    def last(self, _until: int, /) -> None:
        return None

    def count(self, _after: int, _until: int, /) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Single:
    """One moment."""

    at: int

    def next(self, after: int) -> int | None:
        return self.at if self.at > after else None

    def last(self, until: int) -> int | None:
        return self.at if self.at <= until else None

    def count(self, after: int, until: int) -> int:
        return int(after < self.at <= until)


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Every `step` microseconds of elapsed time from `origin`, which is one of them."""

    origin: int
    step: int

    def next(self, after: int) -> int | None:
        steps = max(0, (after - self.origin) // self.step + 1)
        found = self.origin + steps * self.step
        return found if found <= LAST else None

    def last(self, until: int) -> int | None:
        return until - (until - self.origin) % self.step if until >= self.origin else None

    def count(self, after: int, until: int) -> int:
        return self._up_to(until) - self._up_to(after) if until > after else 0

    def _up_to(self, until: int) -> int:
        return max(0, (until - self.origin) // self.step + 1)


@dataclass(frozen=True, slots=True)
class Joined:
    """One exact moment, then others that all lie behind it."""

    head: Single
    tail: Moments

    def next(self, after: int) -> int | None:
        return self.head.next(after) or self.tail.next(after)

    def last(self, until: int) -> int | None:
        return self.tail.last(until) or self.head.last(until)

    def count(self, after: int, until: int) -> int:
        return self.head.count(after, until) + self.tail.count(after, until)


@dataclass(frozen=True, slots=True)
class Zoned:
    """Wall times in a zone.

    Between two shifts the wall runs with UTC, so a span is searched as a range of wall times. A shift adds two rules
    (design: Daylight saving): `gap` says what becomes of wall times that it leaps over, all of which fall on its own
    moment; `fold` says which showing of a wall time shown twice counts, which cuts the range at either end.
    """

    walls: Walls
    zone: Zone
    gap: Gap
    fold: Fold

    def next(self, after: int) -> int | None:
        searched, wall = 0, None
        for span in self.zone.spans(after + 1, min(after + _HORIZON, LAST)):
            if span.start > after and self._fires_after_gap(span):
                return span.start
            low = max(self._low(span), after + 1 + span.offset)
            # A match found from an earlier wall time stands until the wall has passed it, or has been set back.
            if wall is None or not searched <= low <= wall:
                searched, wall = low, self.walls.first(low)
            if wall is None:
                return None
            if wall < self._high(span):
                return wall - span.offset
        return None

    def last(self, until: int) -> int | None:
        end = until
        while end > until - _HORIZON:
            span = self.zone.span_at(end)
            wall = self.walls.last(min(self._high(span) - 1, end + span.offset))
            if wall is not None and wall >= self._low(span):
                return wall - span.offset
            if self._fires_after_gap(span):
                return span.start
            end = span.start - 1
        return None

    def count(self, after: int, until: int) -> int:
        return sum(self._count_in(span, after, until) for span in self.zone.spans(after + 1, until + 1))

    def shifts(self, after: int, until: int) -> Iterator[Span]:
        """The spans that begin, with a shift, in (after, until]."""
        return (s for s in self.zone.spans(after + 1, until + 1) if s.start > after and s.offset != s.before)

    def _count_in(self, span: Span, after: int, until: int) -> int:
        low = max(self._low(span), after + 1 + span.offset)
        high = min(self._high(span), until + 1 + span.offset)
        alone = span.start > after and self._fires_after_gap(span) and not self._matches(span.start + span.offset)
        return self.walls.count(low, high) + int(alone)

    def _fires_after_gap(self, span: Span) -> bool:
        if self.gap == "skip" or span.offset <= span.before:
            return False
        wall = self.walls.first(span.start + span.before)
        return wall is not None and wall < span.start + span.offset

    def _matches(self, wall: int) -> bool:
        return self.walls.first(wall) == wall

    def _low(self, span: Span) -> int:
        """The first wall time of the span that counts."""
        return span.start + (max(span.offset, span.before) if self.fold == "first" else span.offset)

    def _high(self, span: Span) -> int:
        """The end of the span's wall times that count."""
        return span.end + (min(span.offset, span.after) if self.fold == "second" else span.offset)
