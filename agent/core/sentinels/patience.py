"""What a job's sentinels look for, and how soon they speak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from shared.models import SentinelKind

KINDS: frozenset[SentinelKind] = frozenset(get_args(SentinelKind))


@dataclass(frozen=True, slots=True)
class Patience:
    """`tolerance` 2: twice the room. `least_runs`: nothing is judged from fewer."""

    kinds: frozenset[SentinelKind] = KINDS
    tolerance: float = 1.0
    least_runs: int = 10

    def of(self, definition: dict[str, Any]) -> Patience:
        """With what the job's own policy says instead."""
        own = definition["policies"].get("sentinels") or {}
        watch, tolerance, least_runs = (own.get(name) for name in ("watch", "tolerance", "least_runs"))
        return Patience(
            self.kinds if watch is None else frozenset(watch),
            self.tolerance if tolerance is None else tolerance,
            self.least_runs if least_runs is None else least_runs,
        )
