"""What the rules take and give, and what the store keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.models import SentinelKind


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that came to an end since the last look, as event `event` told."""

    event: int
    id: str
    job_number: int
    revision: int
    state: str
    started_at: datetime | None
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class LongRun:
    """A run under way for longer than its job's runs usually take."""

    id: str
    job_number: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingRun:
    """The oldest active run of a job from which nothing is heard."""

    id: str
    state: str
    available_at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """What was committed up to event `cursor`: runs that ended, in the order of their ends, and changed jobs."""

    cursor: int
    ended: list[EndedRun]
    changed: set[int]
    more: bool
    """There are later events already."""


@dataclass(slots=True)
class Watch:
    """What is remembered of a job. `revision` and the two prints are of the definition that it was learnt from."""

    revision: int
    work: str
    """The print of what the job does; `work_since`: the first revision that does so."""
    work_since: int
    rhythm: str
    """The print of when it runs."""
    last_end: datetime | None = None
    expected_at: datetime | None = None
    """When the next sign of it is expected."""
    overdue_at: datetime | None = None
    """When to look whether it came; None: there is nothing to wait for, or it has been told."""
    slow_after: float | None = None
    """Seconds after which a run under way is too slow."""
    history: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WatchedJob:
    """A job with what is remembered and what is open. `definition` is its current one, as JSON."""

    number: int
    revision: int
    definition: dict[str, Any]
    created_at: datetime
    is_enabled: bool
    """And not deleted."""
    is_paused: bool
    watch: Watch | None
    open: dict[SentinelKind, str]
    """The ids of its open sentinels."""
    waiting: WaitingRun | None = None
    is_held: bool = False
    """Missed fires of it wait for an operator, or for their turn: known of an unheard job alone, as `waiting`."""


@dataclass(frozen=True, slots=True)
class Opened:
    id: str
    kind: SentinelKind
    since: datetime
    why: str
    figures: dict[str, float]
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    sentinel_id: str
    because: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What a look made of one job; what it closed may be what it opened."""

    job_number: int
    watch: Watch
    opened: list[Opened]
    closed: list[Closed]
    job_name: str = ""
