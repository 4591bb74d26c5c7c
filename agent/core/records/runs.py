"""A run before it begins, and runs as they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.models import Run, RunCause, Step


@dataclass(frozen=True, slots=True)
class RunVariant:
    """What a run does otherwise than its revision says: as this type, with these parameters changed. `kind` is the
    word for it."""

    type: str
    kind: str
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to be stored pending. `chained`: not claimed while another run of the job is active and older; None: as
    the job's overlap policy has it for runs that somebody asks for."""

    id: str
    job_id: str
    cause: RunCause
    fire_at: datetime | None
    available_at: datetime
    chained: bool | None = False
    original_run_id: str | None = None
    revision: int | None = None
    """None: the job's current one."""
    account_id: str | None = None
    """Given where nobody has looked yet whether the job is of this account."""
    variant: RunVariant | None = None


@dataclass(frozen=True, slots=True)
class RunQuery:
    """A page of runs. `where` is a parsed filter (shared.filters) or None. Order: newest first unless `sort`."""

    account_id: str
    where: Any = None
    job_id: str | None = None
    before: int | None = None
    """Keyset: only runs whose number is smaller."""
    after: int | None = None
    """Keyset: only runs whose number is greater (the page nearest to it)."""
    limit: int = 50
    sort: str = "-number"
    seen_by: str | None = None
    """Only runs that this user may see; None: all of the account."""


@dataclass(frozen=True, slots=True)
class RunPage:
    """`before`: where the next page begins. A page that is not full has it too where the time for it was over: then
    nobody has looked further. None: this was the last."""

    runs: list[Run]
    before: int | None = None


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that is over, with its steps in the order of attempts and positions."""

    run: Run
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class Tally:
    """Runs by state, every state named. Not `complete`: the time was over, and the oldest runs are not counted."""

    counts: dict[str, int]
    complete: bool = True
