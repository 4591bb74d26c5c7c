"""Runs of syncs and resets, as lists for machines have them: sorted, counted, with what they have committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from agent.core.records import RunVariant
from shared.models.job import IntervalType
from shared.states import RunState

SyncOrder = Literal["number", "start_time", "status", "job_type", "duration"]


@dataclass(frozen=True, slots=True)
class SyncQuery:
    """All given are ANDed."""

    account_id: str
    seen_by: str | None = None
    run_id: str | None = None
    job_id: str | None = None
    types: tuple[str, ...] = ()
    states: tuple[RunState, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Made at `since` or later, at `until` or earlier."""
    order: SyncOrder = "number"
    descending: bool = True
    limit: int = 20
    offset: int = 0


@dataclass(frozen=True, slots=True)
class SyncRun:
    id: str
    job_id: str
    type: str
    state: RunState
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    rows: int
    """Committed for searches to find."""
    bytes: int


@dataclass(frozen=True, slots=True)
class SyncJob:
    """A job that syncs or resets, as it is now. `data`: its driver's parameters."""

    id: str
    name: str
    account_id: str
    is_active: bool
    """Enabled, and not paused."""
    interval_type: IntervalType
    interval: str | None
    timezone: str
    data: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SyncJobs:
    """A page by name, and how many there are in all; ids of the sources and knowledge bases that may be seen, by name."""

    jobs: Sequence[SyncJob]
    total: int
    sources: Mapping[str, str]
    bases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SyncEvent:
    """A run of the job (`kind`: sync, reset, refresh, clear; with `run`), or a publishing (created, updated)."""

    id: str
    kind: str
    at: datetime
    run: SyncRun | None = None
    revision: int | None = None


class SyncStore(Protocol):
    async def sync_runs(self, query: SyncQuery) -> tuple[Sequence[SyncRun], int]:
        """A page and how many there are in all."""

    async def sync_jobs(
        self, account_id: str, seen_by: str | None, job_id: str | None, limit: int, offset: int
    ) -> SyncJobs: ...

    async def sync_events(
        self,
        account_id: str,
        seen_by: str | None,
        job_id: str,
        kind: str | None,
        states: tuple[RunState, ...] | None,
        limit: int,
        offset: int,
    ) -> tuple[Sequence[SyncEvent], int] | None:
        """Newest first, and how many there are in all. None: there is no such job to be seen."""

    async def run_variant(self, run_id: str) -> RunVariant | None:
        """What it does otherwise than its revision says."""
