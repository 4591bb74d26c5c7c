"""The rate of caught-up runs, of all jobs together."""

from __future__ import annotations

from shared.clock import Clock

_GATHERED = 0.1
"""Seconds whose places may be taken together: at high rates one look must start several runs."""


class Pace:
    """`per_minute` places a minute, evenly spaced on monotonic time; those that nobody took are gone."""

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._clock = clock
        self._spacing = 60 / per_minute
        self._next = float("-inf")

    def reserve(self) -> float:
        """Take the next free place, whenever it is: seconds until then."""
        elapsed = self._clock.monotonic()
        place = max(elapsed, self._next)
        self._next = place + self._spacing
        return place - elapsed

    def take(self, most: int) -> int:
        """Take up to `most` of the places that are due now."""
        elapsed = self._clock.monotonic()
        first = max(elapsed - _GATHERED, self._next)
        if most <= 0 or first > elapsed:
            return 0
        taken = min(most, int((elapsed - first) / self._spacing) + 1)
        self._next = first + taken * self._spacing
        return taken

    def wait(self) -> float:
        """Seconds until a place is due."""
        return max(0.0, self._next - self._clock.monotonic())
