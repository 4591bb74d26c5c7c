"""The next fires of a schedule that may not be saved yet."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.errors import InvalidInput
from shared.schedule.schedule import compile_schedule, with_anchor
from shared.schedule.spec import ScheduleSpec

MOST = 1000
DEFAULT = 10


def preview(spec: ScheduleSpec, now: datetime, after: datetime | None = None, count: int = DEFAULT) -> list[datetime]:
    """The first `count` (1 to 1000) fires strictly after `after`, in UTC.

    Without `after`: from a past `startOn` on, which is itself inside the window, otherwise after now.
    A simple interval without `startOn` or anchor counts from now, as it would if it were created now.
    """
    if not 1 <= count <= MOST:
        raise InvalidInput.one("count", f"{count} is out of range; write 1 to {MOST}", count)
    schedule = compile_schedule(with_anchor(spec, now))
    fires: list[datetime] = []
    cursor = schedule.next(after or _default(schedule.window_start, now))
    while cursor is not None and len(fires) < count:
        fires.append(cursor)
        cursor = schedule.next(cursor)
    return fires


def _default(start: datetime | None, now: datetime) -> datetime:
    return start - timedelta(microseconds=1) if start and start < now else now
