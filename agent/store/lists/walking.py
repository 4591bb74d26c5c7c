"""Walking from the newest run down, stretch by stretch, until there is enough, the end, or the time is over.

A filter that lets next to nothing through would otherwise keep a reader, and who asked, for as long as there are runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Stretch = tuple[int, int]
"""Numbers of runs: from the first on, and below the second."""

FIRST = 20_000
"""Numbers in the first stretch: a filter that lets every two-hundredth run through fills a page in it."""
_QUICK, _SLOW = 0.02, 0.1
"""Seconds: after a stretch that took less the next is larger, after one that took more it is smaller."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a question may take. The first stretch is always walked, so each answer is further than the last."""

    monotonic: Callable[[], float]
    until: float = math.inf

    @classmethod
    def of(cls, monotonic: Callable[[], float], seconds: float) -> Patience:
        return cls(monotonic, monotonic() + seconds)

    @property
    def is_over(self) -> bool:
        return self.monotonic() >= self.until


def stretches(lowest: int, below: int, patience: Patience) -> Iterator[Stretch]:
    """From `below` down to `lowest`, without a gap; ends early when the time is over."""
    size = FIRST
    while below > lowest:
        began = patience.monotonic()
        start = max(lowest, below - size)
        yield start, below
        below = start
        if patience.is_over:
            return
        size = _next_size(size, patience.monotonic() - began)


def _next_size(size: int, took: float) -> int:
    if took < _QUICK:
        return size * 4
    return max(FIRST, size // 2) if took > _SLOW else size
