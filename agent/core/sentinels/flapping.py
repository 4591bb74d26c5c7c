"""Success and failure in turn: how often the last runs changed between the two, against how often they used to."""

from __future__ import annotations

import math
from dataclasses import dataclass

SUCCESS, FAILURE = "S", "F"
KEPT = 100
WINDOW = 12
"""The last runs that are judged; those before them say what is usual."""
LEAST_CHANGES = 7
"""Four failures at least, apart from each other: three come by accident once in some thousand runs."""
MOST_CHANGES = 8
"""As many changes among the last runs are flapping whatever was usual; of 11 that are possible."""
CALM_CHANGES = 2
_DEVIATIONS = 5.0


@dataclass(frozen=True, slots=True)
class Flapping:
    changes: int
    failed: int
    usual: float
    """Changes among as many runs before."""
    limit: int

    @property
    def flaps(self) -> bool:
        return self.changes >= self.limit

    @property
    def is_calm(self) -> bool:
        return self.changes <= CALM_CHANGES


def judge_outcomes(outcomes: str) -> Flapping | None:
    """`outcomes`: one letter a run, oldest first. None while there are too few."""
    if len(outcomes) < WINDOW:
        return None
    last, before = outcomes[-WINDOW:], outcomes[:-WINDOW]
    rate = _rate(before)
    return Flapping(_changes(last), last.count(FAILURE), rate * (WINDOW - 1), _limit(rate))


def _limit(rate: float) -> int:
    """Changes come in pairs, there and back: their number strays twice as much as that of single accidents."""
    steps = WINDOW - 1
    strays = _DEVIATIONS * math.sqrt(2 * steps * rate * (1 - rate))
    return min(max(LEAST_CHANGES, math.ceil(steps * rate + strays)), MOST_CHANGES)


def _rate(outcomes: str) -> float:
    return _changes(outcomes) / (len(outcomes) - 1) if len(outcomes) > WINDOW else 0.0


def _changes(outcomes: str) -> int:
    return outcomes.count(SUCCESS + FAILURE) + outcomes.count(FAILURE + SUCCESS)
