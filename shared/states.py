"""The one table of moves of a run. The store's CHECK and the guarded UPDATEs are made from it."""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


MOVES: dict[RunState, frozenset[RunState]] = {
    RunState.PENDING: frozenset({RunState.RUNNING, RunState.CANCELLED}),
    RunState.RUNNING: frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED, RunState.RETRYING}),
    RunState.RETRYING: frozenset({RunState.RUNNING, RunState.FAILED, RunState.CANCELLED}),
    RunState.COMPLETED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}

FINAL = frozenset(state for state, onward in MOVES.items() if not onward)
ACTIVE = frozenset(RunState) - FINAL


def sources(target: RunState) -> frozenset[RunState]:
    """The states from which a run may move to `target`; the WHERE of every guarded move."""
    return frozenset(state for state, onward in MOVES.items() if target in onward)
