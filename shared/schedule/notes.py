"""The nights on which the clock is set: what becomes of the wall times that are leapt over or shown twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from shared.schedule.instants import DAY, from_micros, to_micros, wall_from_micros
from shared.schedule.moments import Joined, Zoned
from shared.schedule.schedule import Schedule, compile_schedule, with_anchor
from shared.schedule.spec import ScheduleSpec
from shared.schedule.zone import Span

_LOOK_AHEAD = timedelta(days=366)


class FireMark(StrEnum):
    SKIPPED = "skipped gap"
    MOVED = "moved to end of gap"
    FIRST = "first time"
    TWICE = "runs twice"
    SECOND = "second time"


@dataclass(frozen=True, slots=True)
class FireNote:
    """What one shift of the clock does to a schedule.

    `count` wall times from `wall` to `wall_until` (naive, in the job's zone) are concerned. Every fire from `fire_at` to
    `fire_until` (UTC) carries the mark; both are None where nothing fires. `shift_at` is the moment of the shift.
    Marks: `skipped gap`; `moved to end of gap`; `first time` and `second time` for the showing that runs of a time
    shown twice; where both run, a note `runs twice` for the first pass and one `second time` for the second.
    """

    mark: FireMark
    shift_at: datetime
    wall: datetime
    wall_until: datetime
    count: int
    fire_at: datetime | None
    fire_until: datetime | None
    warning: str | None = None


def notes(spec: ScheduleSpec, after: datetime, count: int = 10) -> list[FireNote]:
    """The nights concerned among the next `count` fires after `after`, and in any case within the next year."""
    schedule = compile_schedule(with_anchor(spec, after))
    zoned = schedule.moments.tail if isinstance(schedule.moments, Joined) else schedule.moments
    if not isinstance(zoned, Zoned):
        return []
    start, end = _reach(schedule, after, count)
    # A shift up to a day back counts too: its doubled hours may still run.
    found = [note for span in zoned.shifts(to_micros(start) - DAY, to_micros(end)) for note in _notes(zoned, span)]
    return [note for note in found if (note.fire_until or note.shift_at) >= start]


def _reach(schedule: Schedule, after: datetime, count: int) -> tuple[datetime, datetime]:
    fires = schedule.between(after, datetime.max.replace(tzinfo=UTC), count)
    start = max([after, *([schedule.window_start] if schedule.window_start else [])])
    end = max([after + _LOOK_AHEAD, *fires[-1:]])
    return start, min([end, *([schedule.window_end] if schedule.window_end else [])])


def _notes(zoned: Zoned, span: Span) -> Iterator[FireNote]:
    low, high = sorted((span.start + span.before, span.start + span.offset))
    count = zoned.walls.count(low, high)
    first, last = zoned.walls.first(low), zoned.walls.last(high - 1)
    if not count or first is None or last is None:
        return
    night = _Night(zoned, span, first, last, count)
    yield from night.gap() if span.offset > span.before else night.fold()


@dataclass(frozen=True, slots=True)
class _Night:
    zoned: Zoned
    span: Span
    first: int
    last: int
    count: int

    def gap(self) -> Iterator[FireNote]:
        end = _clock(self.span.start + self.span.offset)
        if self.zoned.gap == "after":
            yield self._note(FireMark.MOVED, (self.span.start, self.span.start))
            return
        warning = None
        if self._is_whole_day():
            warning = (
                f"nothing runs on {wall_from_micros(self.first):%Y-%m-%d}: {_clock(self.span.start + self.span.before)}"
                f" to {end} does not exist in {self.zoned.zone.key}; dst.gap 'after' runs it once, at {end}"
            )
        yield self._note(FireMark.SKIPPED, None, warning)

    def fold(self) -> Iterator[FireNote]:
        passes = [(self.first - each, self.last - each) for each in (self.span.before, self.span.offset)]
        if self.zoned.fold == "first":
            yield self._note(FireMark.FIRST, passes[0])
        elif self.zoned.fold == "second":
            yield self._note(FireMark.SECOND, passes[1])
        else:
            yield self._note(FireMark.TWICE, passes[0], self._twice() if self._is_whole_day() else None)
            yield self._note(FireMark.SECOND, passes[1])

    def _twice(self) -> str:
        return (
            f"everything of {wall_from_micros(self.first):%Y-%m-%d} runs twice, {self.count * 2} times in all: the hour"
            f" from {_clock(self.span.start + self.span.offset)} comes twice in {self.zoned.zone.key};"
            " dst.fold 'first' runs it once"
        )

    def _is_whole_day(self) -> bool:
        """Whether all that the schedule names for that day is concerned."""
        midnight = self.first - self.first % DAY
        return self.zoned.walls.count(midnight, midnight + DAY) == self.count

    def _note(self, mark: FireMark, fires: tuple[int, int] | None, warning: str | None = None) -> FireNote:
        return FireNote(
            mark=mark,
            shift_at=from_micros(self.span.start),
            wall=wall_from_micros(self.first),
            wall_until=wall_from_micros(self.last),
            count=self.count,
            fire_at=from_micros(fires[0]) if fires else None,
            fire_until=from_micros(fires[1]) if fires else None,
            warning=warning,
        )


def _clock(wall: int) -> str:
    return f"{wall_from_micros(wall):%H:%M}"
