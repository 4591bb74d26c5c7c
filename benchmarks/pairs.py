"""Measuring two things in turn, order swapped from pair to pair, so that a drifting machine hits both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Measure = Callable[[], Awaitable[float]]
"""Does the thing once; seconds."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`ratio` of the first to the second: its median and its spread over the pairs."""

    name: str
    beside: str
    ours: float
    theirs: float
    ratio: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return (
            f"{self.name:<44} {self.ours * 1000:>10.2f} ms   {self.beside:<40} {self.theirs * 1000:>10.2f} ms   "
            f"ratio {self.ratio:.2f} ({self.lowest:.2f} to {self.highest:.2f})"
        )


def compare_in_turn(
    name: str, ours: Callable[[], object], beside: str, theirs: Callable[[], object], *, pairs: int = 9, asked: int = 40
) -> Comparison:
    """What takes a moment, asked in turn `asked` times for each pair: what else the machine does hits both alike. The
    ratio of a pair is that of the medians."""
    for _ in range(3):
        ours(), theirs()
    measured = [_in_turn(ours, theirs, asked) for _ in range(pairs)]
    return _compared(name, beside, measured)


async def compare(name: str, ours: Measure, beside: str, theirs: Measure, *, pairs: int = 5) -> Comparison:
    """One warm-up of each, then the pairs; medians."""
    await ours()
    await theirs()
    measured: list[tuple[float, float]] = []
    for number in range(pairs):
        if number % 2:
            second, first = await theirs(), await ours()
        else:
            first, second = await ours(), await theirs()
        measured.append((first, second))
    return _compared(name, beside, measured)


def _in_turn(ours: Callable[[], object], theirs: Callable[[], object], asked: int) -> tuple[float, float]:
    first, second = list[float](), list[float]()
    for number in range(asked):
        for taken, ask in ((first, ours), (second, theirs))[:: 1 if number % 2 else -1]:
            began = time.perf_counter()
            ask()
            taken.append(time.perf_counter() - began)
    return statistics.median(first), statistics.median(second)


def _compared(name: str, beside: str, measured: list[tuple[float, float]]) -> Comparison:
    ratios = [first / second for first, second in measured]
    return Comparison(
        name,
        beside,
        statistics.median(first for first, _ in measured),
        statistics.median(second for _, second in measured),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
    )
