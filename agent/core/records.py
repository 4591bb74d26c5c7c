"""What the core hands to the store and gets from it where the API's models do not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from agent.core.callers import Caller
from agent.core.driving import Needs
from agent.core.permissions import ResourceKind
from shared.models import DraftInput, FireOutcome, FireReason, Job, JobInput, Policies, Run, RunCause, RunError, Step
from shared.models.run import LogLevel
from shared.models.share import AccessLevel


@dataclass(frozen=True, slots=True)
class ScheduleMarks:
    """What the scheduling rules made of a definition. `next_fire_at` None: nothing is due any more."""

    next_fire_at: datetime | None
    high_water: datetime
    window_end: datetime | None
    zone_data_version: str
    schedule_text: str


@dataclass(frozen=True, slots=True)
class ActiveLimit:
    """At most `most` jobs made `through` this contract may be active in the account: not deleted, window not over."""

    through: str
    most: int


@dataclass(frozen=True, slots=True)
class NewDraft:
    """`editing_id`, `based_on`: the job that it is an edit of, and which revision; None: of a job that is not yet."""

    id: str
    account_id: str
    owner_id: str
    definition: DraftInput
    editing_id: str | None = None
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class DraftMark:
    """The draft that is published, and goes with it, as it was looked at."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class NewJob:
    id: str
    account_id: str
    owner_id: str
    slug: str
    definition: JobInput
    marks: ScheduleMarks
    made_through: str = "api"
    limit: ActiveLimit | None = None
    draft: DraftMark | None = None
    needs: Needs = field(default_factory=Needs)
    """What its runs work with."""


@dataclass(frozen=True, slots=True)
class JobHead:
    """A job as a list of all of them shows it. `owner`: by handle."""

    number: int
    id: str
    name: str
    type: str
    enabled: bool
    owner_id: str
    owner: str
    slug: str
    tags: list[str]


@dataclass(frozen=True, slots=True)
class JobChange:
    """A replaced definition: makes the next revision and the next version."""

    job_id: str
    definition: JobInput
    marks: ScheduleMarks
    author_id: str
    restored_from: int | None = None
    """The definition is that of this revision, byte for byte."""
    draft: DraftMark | None = None
    needs: Needs = field(default_factory=Needs)


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


@dataclass(frozen=True, slots=True)
class Held:
    """Which held fires an operator decides about: of these jobs (None: of all of the account), due in [since, until]."""

    account_id: str
    job_ids: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


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
class NextTurn:
    """A missed fire whose turn it is to run."""

    fire_id: int
    job_id: str
    fire_at: datetime


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


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A run that now belongs to `worker_id` until its lease ends; `definition` is its revision's. `promised`: behind a
    run that its worker is at; it stays pending until it begins, and may be given back before. `run` is as it begins."""

    run: Run
    definition: JobInput
    policies: Policies
    checkpoint: dict[str, Any] | None
    promised: bool = False


@dataclass(frozen=True, slots=True)
class Ahead:
    """Places behind the runs that workers have or are about to get: a worker's id for each. Only runs of which
    `may_wait` (which is called on a thread of the store) are promised; the first that may not ends the row."""

    worker_ids: Sequence[str]
    may_wait: Callable[[ClaimedRun], bool]


@dataclass(frozen=True, slots=True)
class Fence:
    """The right to write for a run: only its current attempt on its current worker has it."""

    run_id: str
    attempt: int
    worker_id: str


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
class NewShare:
    """`principal`: a user's id or handle, or `everyone`; `by`: the handle of who shares."""

    account_id: str
    kind: ResourceKind
    subject_id: str
    principal: str
    level: AccessLevel
    by: str


@dataclass(frozen=True, slots=True)
class NewRefusal:
    caller: Caller
    act: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """A page of the record. `user`: an id or a handle; `subject`: an id or a name; `act`: an operation or an event."""

    user: str | None = None
    subject: str | None = None
    act: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """Keyset: only rows whose number is smaller."""
    after: int | None = None
    """Keyset: only rows whose number is greater (the page nearest to it)."""
    limit: int = 50


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
    of_jobs: tuple[int, ...] | None = None
    """The store's own: the numbers of the jobs that the user may see, where they are few."""


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


@dataclass(frozen=True, slots=True)
class OldRows:
    """What one look found that may go, and behind which number the next one goes on; None: the pass is over."""

    numbers: list[int]
    position: int | None


@dataclass(frozen=True, slots=True)
class StoreSize:
    """Bytes of the store's file, and how many of them are free for what comes."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class JobStatistics:
    """Of a job's last completed runs (at most 100): durations in seconds."""

    median: float | None
    p90: float | None
    count: int


@dataclass(frozen=True, slots=True)
class RowsQuery:
    """A page of a snapshot's rows. `where`: a condition in DuckDB's SQL, None for all."""

    where: str | None = None
    start: int = 0
    limit: int = 100


HOLD = timedelta(seconds=60)
"""How long a lease lasts."""


@dataclass(frozen=True, slots=True)
class LogSearch:
    """Lines with this text, of this level, or both; at least one of the two is given.

    The text is looked for as it is; unless `match_case`, letters match in either case, one letter for one. `start`
    counts from the end when negative; None: from the end where the search begins.
    """

    text: str = ""
    level: LogLevel | None = None
    start: int | None = None
    limit: int = 1
    backwards: bool = False
    match_case: bool = False
