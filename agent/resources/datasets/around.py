"""Snapshots that a job wants before or after its runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from agent.core.driving import RunContext
from agent.resources.datasets.refreshing import refresh


def take_snapshots(context: RunContext, datasets: Sequence[str], when: Literal["before", "after"]) -> None:
    """One of each dataset, in order; whatever fails, fails the run."""
    seen = set[str]()
    for name in datasets:
        grant = context.dataset(name)
        if grant.id in seen:
            continue
        seen.add(grant.id)
        with context.step(f"snapshot-{when}-{name}", f"Take a snapshot of '{grant.name}' {when} the run"):
            refresh(context, grant, f"{context.run_id}.{when}")
