"""When a cancel that can still be undone takes effect."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from console.render.spans import countdown, seconds_to_change

_MINUTE = 60


def effect_in(due: datetime, now: datetime) -> str:
    """`in 7 s` within the last minute, `in 12m` before it, `now` when it has come."""
    left = (due - now).total_seconds()
    if left <= 0:
        return "now"
    return f"in {ceil(left)} s" if left <= _MINUTE else countdown(due, now)


def effect_changes_in(due: datetime, now: datetime) -> float | None:
    """Seconds until `effect_in` reads differently; None when only the agent's word will."""
    left = (due - now).total_seconds()
    if left <= 0:
        return None
    return (left % 1 or 1.0) + 0.001 if left <= _MINUTE else seconds_to_change(due, now)


def cancels_in(due: datetime, now: datetime, undo: str) -> str:
    """`cancels in 7 s — u undoes`."""
    return f"cancels {effect_in(due, now)} — {undo} undoes"
