"""Fires: what is due, what became of it, what waits for its turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent.core.records.runs import NewRun
from shared.models import FireOutcome, FireReason, Job


@dataclass(frozen=True, slots=True)
class DueJob:
    """A job whose next fire has come, with all that the rules need to settle it."""

    job: Job
    created_at: datetime
    high_water: datetime
    paused_since: datetime | None
    active: int
    queued: int
    catching_up: bool = False
    """A caught-up run of it is active, or a missed fire of it waits for its turn."""
    caught_up_at: datetime | None = None
    """When the newest of its active caught-up runs was made."""
    made_through: str = "api"


@dataclass(frozen=True, slots=True)
class FireRow:
    fire_at: datetime
    outcome: FireOutcome
    reason: FireReason
    run: NewRun | None = None
    stands_in_fire_at: datetime | None = None
    count: int = 1
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SettledJob:
    """One job's settlement, applied only if its version is still `version`; else the next look settles it."""

    job_id: str
    version: int
    rows: list[FireRow]
    high_water: datetime
    next_fire_at: datetime | None
    cancel_running: bool = False
    zone_data_version: str | None = None
    """Given where the next fire was computed with other zone data than before."""
    foreseen_for: datetime | None = None
    """Decided before that moment: applied only if the job is due just then and no run of it is active."""


@dataclass(frozen=True, slots=True)
class Held:
    """Which held fires an operator decides about: of these jobs (None: of all of the account), due in [since, until]."""

    account_id: str
    job_ids: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NextTurn:
    """A missed fire whose turn it is to run."""

    fire_id: int
    job_id: str
    fire_at: datetime
