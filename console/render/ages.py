"""Times that change together, on the whole minute: an idle screen then sends one small burst a minute at most.

`render.spans` counts each moment by itself; a list of those changes a row every few seconds.
"""

from __future__ import annotations

from datetime import datetime

from console.render.spans import countdown

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_DATE_AFTER = 30 * _DAY


def minute_of(now: datetime) -> datetime:
    """The last whole minute."""
    return now.replace(second=0, microsecond=0)


def age(moment: datetime, now: datetime) -> str:
    """`just now`, `9m ago`, `5h ago`, `3d ago`, then the date: in a list the largest unit will do."""
    seconds = int((minute_of(now) - moment).total_seconds())
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}m ago"
    if seconds < _DAY:
        return f"{seconds // _HOUR}h ago"
    return f"{seconds // _DAY}d ago" if seconds < _DATE_AFTER else moment.astimezone(now.tzinfo).strftime("%Y-%m-%d")


def due_in(until: datetime, now: datetime) -> str:
    """`in 42s` within the last minute, else in whole minutes, rounded up to the minute that is shown."""
    if (until - now).total_seconds() < _MINUTE:
        return countdown(until, now)
    return countdown(until, minute_of(now))


def seconds_to_next(until: datetime | None, now: datetime) -> float:
    """Until `age` or `due_in` may read differently."""
    ahead = (until - now).total_seconds() if until is not None else -1.0
    if 0 < ahead <= _MINUTE:
        return ahead % 1 + 0.001
    to_minute = _MINUTE - now.second - now.microsecond / 1e6 + 0.001
    return min(to_minute, ahead - _MINUTE + 0.001) if ahead > _MINUTE else to_minute
