"""Spans of time and moments, as short as they can be read.

What is further away than a minute is shown in minutes, so that an idle screen has nothing to send; `seconds_to_change`
says when a text will be another one, so that nobody has to look every second.
"""

from __future__ import annotations

from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_DATE_AFTER = 30 * _DAY


def short_span(span: timedelta | float) -> str:
    """`0.4s`, `45s`, `1m 20s`, `2h 5m`, `3d 4h`: two units at most; a negative span counts as none."""
    seconds = max(0.0, _seconds(span))
    if seconds < 1:
        return f"{seconds:.1f}s" if 0.05 <= seconds < 0.95 else f"{seconds:.0f}s"
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "m", 1, "s")
    return _whole_minutes(whole)


def countdown(until: datetime, now: datetime) -> str:
    """`in 42s` below a minute, then `in 12m`, `in 3h 5m`, `in 2d 4h`; `due` when it has come."""
    seconds = int((until - now).total_seconds())
    if until <= now:
        return "due"
    if seconds < _MINUTE:
        return f"in {max(1, seconds)}s"
    return f"in {_whole_minutes(seconds)}"


def ago(moment: datetime, now: datetime) -> str:
    """`just now`, `3m ago`, `2h 5m ago`, `4d 1h ago`, then the date; the clock of another machine may be ahead."""
    seconds = int((now - moment).total_seconds())
    if seconds < _MINUTE:
        return "just now"
    if seconds >= _DATE_AFTER:
        return moment.astimezone(now.tzinfo).strftime("%Y-%m-%d")
    return f"{_whole_minutes(seconds)} ago"


def seconds_to_change(moment: datetime, now: datetime) -> float | None:
    """Seconds until `countdown` or `ago` of `moment` reads differently; None when it never will."""
    ahead = (moment - now).total_seconds()
    if ahead > 0:
        return _until_below(ahead)
    if -ahead >= _DATE_AFTER:
        return None
    unit = _MINUTE if -ahead < _DAY else _HOUR
    return unit - (-ahead) % unit


def _until_below(ahead: float) -> float:
    unit = 1 if ahead < _MINUTE else _MINUTE if ahead < _DAY else _HOUR
    # The text counts whole units: it changes just after the last one has begun to run.
    return ahead % unit + 0.001


def clock_time(moment: datetime, now: datetime) -> str:
    """`14:05:09` on the same day in `now`'s zone, else `11-21 14:05`, in another year `2025-11-21`."""
    local = moment.astimezone(now.tzinfo)
    if local.date() == now.date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%m-%d %H:%M" if local.year == now.year else "%Y-%m-%d")


def _whole_minutes(seconds: int) -> str:
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}m"
    return _two(seconds, _HOUR, "h", _MINUTE, "m") if seconds < _DAY else _two(seconds, _DAY, "d", _HOUR, "h")


def _two(seconds: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large}{large_name}" + (f" {rest}{small_name}" if rest else "")


def _seconds(span: timedelta | float) -> float:
    return span.total_seconds() if isinstance(span, timedelta) else span
