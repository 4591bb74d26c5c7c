"""A compiled schedule: its next, its latest, its fires in between. Nothing here reads the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple, TypeVar

from shared.errors import Fault, InvalidInput
from shared.schedule.cron import parse_cron
from shared.schedule.instants import DAY, LAST, SECOND, from_micros, to_micros
from shared.schedule.moments import Elapsed, Fold, Gap, Joined, Moments, Never, Single, Zoned
from shared.schedule.spec import ScheduleSpec
from shared.schedule.walls import CronWalls, EveryDays
from shared.schedule.words import describe
from shared.schedule.written import Written, read_moment, read_simple
from shared.schedule.zone import Zone, load_zone

_REFERENCE = to_micros(datetime(2025, 1, 1, tzinfo=UTC))
"""Where the search for expressions that never fire begins. From any year on, 50 years hold every kind of year."""

_ALWAYS = 1 << 62
T = TypeVar("T")


class Schedule:
    """The fires of one job. Moments handed in must be aware; moments handed out are UTC.

    `window_start` and `window_end` are `startOn` and `endOn`, both inclusive; None: open.
    """

    __slots__ = ("_end", "_start", "moments", "spec", "window_end", "window_start")

    def __init__(self, spec: ScheduleSpec, moments: Moments, start: int | None, end: int | None) -> None:
        self.spec = spec
        self.moments = moments
        self.window_start = None if start is None else from_micros(start)
        self.window_end = None if end is None else from_micros(end)
        self._start = -_ALWAYS if start is None else start
        self._end = LAST if end is None else end

    def next(self, after: datetime) -> datetime | None:
        """The first fire strictly after `after`; None if none comes within 50 years or the window."""
        found = self._next(to_micros(after))
        return None if found is None else from_micros(found)

    def latest(self, until: datetime, not_before: datetime) -> datetime | None:
        """The last fire in (not_before, until], however many lie between."""
        end, after = min(to_micros(until), self._end), max(to_micros(not_before), self._start - 1)
        found = self.moments.last(end) if end > after else None
        return from_micros(found) if found is not None and found > after else None

    def between(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """The first `limit` fires in (after, until]."""
        fires: list[datetime] = []
        cursor, end = self._next(to_micros(after)), to_micros(until)
        while cursor is not None and cursor <= end and len(fires) < limit:
            fires.append(from_micros(cursor))
            cursor = self._next(cursor)
        return fires

    def count(self, after: datetime, until: datetime) -> int:
        """How many fires lie in (after, until]; not counted one by one."""
        return self.moments.count(max(to_micros(after), self._start - 1), min(to_micros(until), self._end))

    def describe(self) -> str:
        """The schedule in words: `every 10 minutes`, `at 02:00 on weekdays (Europe/Berlin)`, `by hand`."""
        return describe(self.spec)

    def _next(self, after: int) -> int | None:
        if after >= self._end:
            return None
        found = self.moments.next(max(after, self._start - 1))
        return None if found is None or found > self._end else found


def compile_schedule(spec: ScheduleSpec) -> Schedule:
    """The schedule that a job says; InvalidInput with all faults in `timezone`, `startOn`, `endOn`, `interval`."""
    faults: list[Fault] = []
    zone = _collect(faults, lambda: load_zone(spec.timezone))
    reading = zone or load_zone("UTC")
    start = _collect(faults, lambda: read_moment("startOn", spec.start_on, reading) if spec.start_on else None)
    end = _collect(faults, lambda: read_moment("endOn", spec.end_on, reading, forever=True) if spec.end_on else None)
    if not faults:
        _collect(faults, lambda: _check_window(spec, start, end, reading))
    moments = _collect(faults, lambda: _moments(spec, reading, start))
    if faults or moments is None:
        raise InvalidInput(faults)
    return Schedule(spec, moments, start.moment(reading) if start else None, end.end(reading) if end else None)


def _collect(faults: list[Fault], make: Callable[[], T]) -> T | None:
    try:
        return make()
    except InvalidInput as refusal:
        faults += refusal.faults
        return None


def _check_window(spec: ScheduleSpec, start: Written | None, end: Written | None, zone: Zone) -> None:
    if start and end and end.end(zone) < start.moment(zone):
        message = f"{spec.end_on!r} lies before startOn {spec.start_on!r}; nothing could ever start"
        raise InvalidInput.one("endOn", message, spec.end_on)


def _moments(spec: ScheduleSpec, zone: Zone, start: Written | None) -> Moments:
    if spec.interval_type == "none":
        return Never()
    if not spec.interval or not spec.interval.strip():
        raise InvalidInput.one("interval", f"is missing; {_EXPECTED[spec.interval_type]}", spec.interval)
    return _MAKERS[spec.interval_type](_Making(spec, spec.interval, zone, start))


class _Making(NamedTuple):
    spec: ScheduleSpec
    interval: str
    zone: Zone
    start: Written | None


def _once(making: _Making) -> Moments:
    written = read_moment("interval", making.interval, making.zone)
    # It is one moment whatever the overrides say: `both` means the first, and `skip` does not drop it.
    return Single(written.moment(making.zone, "second" if making.spec.dst.fold == "second" else "first"))


def _simple(making: _Making) -> Moments:
    simple = read_simple(making.interval)
    return _every_days(making, simple.step // DAY) if simple.by_wall else _elapsed(making, simple.step)


def _elapsed(making: _Making, step: int) -> Moments:
    """startOn is itself a fire; the creation is not, the first fire comes one step after it."""
    if making.start:
        return Elapsed(making.start.moment(making.zone), step)
    return Elapsed(_creation(making.spec) + step, step)


def _every_days(making: _Making, days: int) -> Moments:
    start, zone = making.start, making.zone
    gap, fold = making.spec.dst.gap or "after", making.spec.dst.fold or "first"
    if start and start.instant is None:
        return Zoned(EveryDays(start.wall, days), zone, gap, fold)
    origin = start.instant if start and start.instant is not None else _creation(making.spec)
    following = Zoned(EveryDays(zone.wall(origin) + days * DAY, days), zone, gap, fold)
    # An aware startOn names its moment exactly, also inside a doubled hour; only the days after it follow the wall.
    return Joined(Single(origin), following) if start else following


def _creation(spec: ScheduleSpec) -> int:
    """The anchor on its whole second, so that fires have no fractions."""
    return to_micros(spec.anchor) // SECOND * SECOND if spec.anchor else 0


def _cron(making: _Making) -> Moments:
    return _cron_moments(making.interval, making.zone.key, making.spec.dst.gap, making.spec.dst.fold)


@lru_cache(maxsize=4096)
def _cron_moments(expression: str, zone: str, gap: Gap | None, fold: Fold | None) -> Moments:
    walls = _cron_walls(expression)
    clock = walls.cron.is_clock
    default_gap: Gap = "skip" if clock else "after"
    default_fold: Fold = "both" if clock else "first"
    moments = Zoned(walls, load_zone(zone), gap or default_gap, fold or default_fold)
    if moments.next(_REFERENCE) is None:
        field = f"day of month field {walls.cron.text[2]!r} with month {walls.cron.text[3]!r}"
        if walls.first(_REFERENCE) is not None:
            field = f"dst.gap 'skip' in {zone}"
        raise InvalidInput.one("interval", f"{expression!r} never fires within 50 years: {field}", expression)
    return moments


@lru_cache(maxsize=4096)
def _cron_walls(expression: str) -> CronWalls:
    return CronWalls(parse_cron(expression))


_MAKERS: dict[str, Callable[[_Making], Moments]] = {"cron": _cron, "simple": _simple, "once": _once}
_EXPECTED = {
    "cron": "write five cron fields, as in '*/10 * * * *'",
    "simple": "write a number and a unit, as in '10 minutes'",
    "once": "write one ISO 8601 moment, as in '2026-03-29T02:30:00'",
}


def with_anchor(spec: ScheduleSpec, anchor: datetime) -> ScheduleSpec:
    """The spec with an origin for simple intervals, if it has none."""
    return spec if spec.anchor else replace(spec, anchor=anchor)
