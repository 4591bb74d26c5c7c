"""Whether time passed as the wall clock says: jumps of it, and times when no agent was there."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

SLACK = timedelta(seconds=5)
"""Clocks that are steered drift apart by less between two looks."""
_REMEMBERED = 50


@dataclass(frozen=True, slots=True)
class Jump:
    """Between two looks, at `before` and `after` by the wall clock, it moved by `by` more than time did."""

    before: datetime
    after: datetime
    by: timedelta

    def touches(self, start: datetime, end: datetime) -> bool:
        return start <= max(self.before, self.after) and end >= min(self.before, self.after)


class Passing:
    """What the looks have seen of time. A machine that slept counts as a clock set forward."""

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None
        self._jumps: deque[Jump] = deque(maxlen=_REMEMBERED)
        self.resumed_at: datetime | None = None
        """Since then nothing has kept jobs from running: the first look, or the last jump forward."""

    def look(self, now: datetime, monotonic: float) -> None:
        if self._last is None:
            self.resumed_at = now
        else:
            before, elapsed = self._last[0], timedelta(seconds=monotonic - self._last[1])
            self._note(before, now, now - before - elapsed)
        self._last = now, monotonic

    def is_certain(self, start: datetime, end: datetime) -> bool:
        """A span between the two can be trusted."""
        return start <= end and not any(jump.touches(start, end) for jump in self._jumps)

    def elapsed(self, start: datetime, now: datetime) -> timedelta:
        """How long something has gone on; after a clock was set back, too little rather than too much."""
        lost = (jump.by for jump in self._jumps if jump.by > timedelta(0) and start < jump.before + jump.by)
        return now - start - sum(lost, timedelta(0))

    def _note(self, before: datetime, now: datetime, by: timedelta) -> None:
        if abs(by) <= SLACK:
            return
        self._jumps.append(Jump(before, now, by))
        if by > timedelta(0) or self.resumed_at is None or self.resumed_at > now:
            self.resumed_at = now
