"""Time and ids, handed in. Nothing else in Jobdeck reads the clock or draws an id."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time for fires and records, monotonic seconds for durations and leases."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is moved; for simulations and tests."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, span: timedelta) -> None:
        """Let time pass: both clocks move."""
        self._now += span
        self._monotonic += span.total_seconds()

    def set_wall(self, now: datetime) -> None:
        """Set the wall clock only, as an administrator or NTP does."""
        self._now = now
