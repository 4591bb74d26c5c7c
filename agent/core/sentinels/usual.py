"""What is usual for a job, from a bounded number of its own last values.

Robust: median and MAD on a logarithmic scale, for spans of time stray by factors, and the second largest and second
smallest, so that one wild value among them changes next to nothing.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

KEPT = 100
"""Values that are remembered; the oldest goes."""
SPREADS = 6.0
"""Robust standard deviations that a value may stray from the median."""
_SIGMA = 1.4826
"""From the median absolute deviation to a standard deviation (of a normal distribution)."""
_LEAST_SPREAD = 0.05
_LEAST_FACTOR, _LEAST_FALL = 2.0, 5.0
"""Nobody calls a run slow that takes less than twice the median, nor fast above a fifth of it."""
_BEYOND_LARGEST, _BELOW_SMALLEST = 1.5, 2.0
_FAR_ABOVE, _FAR_BELOW = 3.0, 5.0
"""Times the second largest, and a part of the second smallest: unlike the rest however far those stray."""
_TINY = 0.001
_MOST = 10 * 365 * 86400.0
"""Ten years: what strays without bounds is waited for without end."""
_RENEWED_EVERY = 10


@dataclass(frozen=True, slots=True)
class Usual:
    """Seconds. What lies above `high`, or below `low`, is unlike the rest; `low` 0: nothing is too small."""

    low: float
    median: float
    high: float
    spread: float
    """On the logarithmic scale: 0.1 means that values stray by about 10 %."""

    def stretched(self, tolerance: float) -> Usual:
        """With `tolerance` times the room on either side."""
        if tolerance == 1.0:
            return self
        high = self.median + (self.high - self.median) * tolerance
        fall = 1 + (self.median / self.low - 1) * tolerance if self.low else math.inf
        return Usual(self.median / fall, self.median, high, self.spread)


@dataclass(slots=True)
class Track:
    """The last values of one kind, oldest first, and what is usual among them. `margin` in seconds: a difference
    smaller than that is of no account."""

    margin: float
    values: list[float] = field(default_factory=list)
    usual: Usual | None = None
    fresh: int = 0
    """Values learnt since `usual` was made: it is made anew when they are a tenth, so that each costs little."""

    def learn(self, value: float) -> None:
        self.values.append(float(f"{value:.4g}"))
        del self.values[:-KEPT]
        self.fresh += 1
        if self.usual is None or self.fresh * _RENEWED_EVERY >= len(self.values):
            self.usual, self.fresh = usual_of(self.values, self.margin), 0

    def begin_with(self, values: Iterable[float]) -> None:
        """Forget what was; these are the habit from now on."""
        self.values, self.usual, self.fresh = [], None, 0
        for value in values:
            self.learn(value)

    def dump(self) -> dict[str, Any]:
        usual = self.usual
        return {
            "values": self.values,
            "usual": usual and [usual.low, usual.median, usual.high, usual.spread],
            "fresh": self.fresh,
        }

    @classmethod
    def load(cls, margin: float, stored: dict[str, Any] | None) -> Track:
        if not stored:
            return cls(margin)
        usual = stored["usual"]
        return cls(margin, stored["values"], usual and Usual(*usual), stored["fresh"])


def usual_of(values: Sequence[float], margin: float) -> Usual:
    """Of at least one value, each not negative."""
    ordered = sorted(max(value, _TINY) for value in values)
    median = _middle(ordered)
    spread = max(_LEAST_SPREAD, _SIGMA * _deviation(ordered, median))
    # Few values say little of how far they can stray: with ten, half as far again.
    strays = math.exp(min(SPREADS * (1 + 5 / len(ordered)) * spread, 50.0))
    small, large = (ordered[1], ordered[-2]) if len(ordered) > 1 else (median, median)
    high = max(
        median * _LEAST_FACTOR, large * _BEYOND_LARGEST, min(median * strays, large * _FAR_ABOVE), median + margin
    )
    low = min(median / _LEAST_FALL, small / _BELOW_SMALLEST, max(median / strays, small / _FAR_BELOW))
    return Usual(low if median - low >= margin else 0.0, median, min(high, max(_MOST, median)), spread)


def _deviation(ordered: Sequence[float], median: float) -> float:
    """The median absolute deviation of the logarithms."""
    centre = math.log(median)
    away: list[float] = []
    for value in ordered:
        insort(away, abs(math.log(value) - centre))
    return _middle(away)


def _middle(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
