"""A run on a worker: who has the right to write for it, what happened, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from shared.models import JobInput, Policies, Run, RunError


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A run that now belongs to `worker_id` until its lease ends; `definition` is its revision's. `promised`: behind a
    run that its worker is at; it stays pending until it begins, and may be given back before. `run` is as it begins.
    `unreadable`: why its definition is not its revision's, but says nothing."""

    run: Run
    definition: JobInput
    policies: Policies
    checkpoint: dict[str, Any] | None
    promised: bool = False
    unreadable: str = ""

    @property
    def fence(self) -> Fence:
        return Fence(self.run.id, self.run.attempt, self.run.worker_id or "")


@dataclass(frozen=True, slots=True)
class Ahead:
    """Places behind the runs that workers have or are about to get: a worker's id for each. Only runs of which
    `may_wait` (which is called on a thread of the store) are promised; the first that may not ends the row."""

    worker_ids: Sequence[str]
    may_wait: Callable[[ClaimedRun], bool]


@dataclass(frozen=True, slots=True)
class Lease:
    """What an agent promises runs with: the places that its workers have, and how long a promise holds by itself."""

    agent_id: str
    span: timedelta
    places: Ahead


class Fence(NamedTuple):
    """The right to write for a run: only its current attempt on its current worker has it."""

    run_id: str
    attempt: int
    worker_id: str


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """What happened within an attempt since the last write; a field that is None or empty did not change."""

    fence: Fence
    started_at: datetime | None = None
    progress: dict[str, Any] | None = None
    checkpoint: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    log_total: int | None = None

    @property
    def says_only_start(self) -> bool:
        """Nothing, or no more than when the driver's code began: most of what a short run has to say at its end."""
        given = (self.progress, self.checkpoint, self.log_total)
        return not self.warnings and not self.steps and all(each is None for each in given)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `retry_at` set: the run goes to `retrying` and is due then; else `state` is final."""

    fence: Fence
    state: Literal["completed", "failed", "cancelled", "retrying"]
    ended_at: datetime
    result: dict[str, Any] | None = None
    error: RunError | None = None
    retry_at: datetime | None = None
    started_at: datetime | None = None
    """When the driver's code began, where that was not written before."""
