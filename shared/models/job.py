"""A job: a definition, its schedule and its policies."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from shared.durations import Duration
from shared.models.base import Input, Instant, Policy, Resource
from shared.models.sentinel import SentinelKind
from shared.sizes import Size, format_size

IntervalType = Literal["cron", "simple", "once", "none"]
Overlap = Literal["skip", "queue_one", "queue_all", "cancel_running", "allow"]
CatchUpMode = Literal["latest", "all", "none"]
OnLost = Literal["retry", "fail"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_MOMENT = re.compile(r"\s*\d{4}(-|\d{4}(T|\s*$))")
_SIMPLE_WORDS = 2
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class CatchUp(Policy):
    """What becomes of fires that no agent evaluated in time."""

    mode: CatchUpMode = "latest"
    window: Duration = timedelta(days=1)


class Dst(Policy):
    """Overrides of the daylight-saving rules; None follows design: clock jobs and fixed-time jobs differ."""

    gap: Literal["after", "skip"] | None = None
    fold: Literal["first", "second", "both"] | None = None


class Retry(Policy):
    """Attempts in all (1: no retry); the back-off doubles from attempt to attempt, up to `max_backoff`."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    backoff: Duration = timedelta(seconds=30)
    max_backoff: Duration = timedelta(hours=1)


class Concurrency(Policy):
    """At most `limit` runs of all jobs with this `key` run at once; no key: no limit."""

    key: Annotated[str, StringConstraints(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1


class RunLimits(Policy):
    """What a run may take, all its processes together; one that takes more is ended and fails. None: no limit."""

    memory: Size | None = None
    """That only its end would give back: anonymous, shared and swapped, without what files can be read from again."""
    output: Size | None = None
    """Of log lines, in UTF-8, line ends included."""
    open_files: Annotated[int, Field(ge=1, le=10_000_000)] | None = None

    @field_validator("memory", "output")
    @classmethod
    def _is_enough(cls, value: int | None, info: ValidationInfo) -> int | None:
        least = SMALLEST[info.field_name or ""]
        if value is not None and value < least:
            raise ValueError(f"{format_size(value)} is too little for any run; write {format_size(least)} or more")
        return value


SMALLEST = {"memory": 1_000_000, "output": 1_000}


class SentinelPolicy(Policy):
    """What the agent looks for by itself; None follows its settings.

    `watch`: [] for nothing. `tolerance` 2 leaves twice the room around what is usual. `least_runs`: nothing is judged
    from fewer; the last 100 are remembered.
    """

    watch: list[SentinelKind] | None = None
    tolerance: Annotated[float, Field(ge=0.25, le=100)] | None = None
    least_runs: Annotated[int, Field(ge=5, le=100)] | None = None


class Policies(Policy):
    """How the runs of a job behave; every field has a default."""

    overlap: Overlap = "skip"
    catch_up: CatchUp = CatchUp()
    dst: Dst = Dst()
    jitter: Duration = timedelta(0)
    timeout: Duration | None = None
    retry: Retry = Retry()
    on_lost: OnLost | None = None
    concurrency: Concurrency = Concurrency()
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    kill_grace: Duration = timedelta(seconds=10)
    sentinels: SentinelPolicy = SentinelPolicy()
    limits: RunLimits = RunLimits()


PartId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""Of an action or an attachment: given by the server where it is absent, and the same in all later revisions."""


ActionName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")
]
"""It stands in log lines and kinds of errors."""


class Attachment(Policy):
    """What an action takes with it: a file, a report, data; `data` says which, as its `type` has it."""

    id: PartId | None = None
    type: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    name: Name
    data: dict[str, Any] = {}


class Action(Policy):
    """One stage of a job: an action type or any job type, with its own parameters."""

    id: PartId | None = None
    type: str
    name: ActionName | None = None
    data: dict[str, Any] = {}
    condition: str | None = None
    on_error: Literal["stop", "continue"] = "stop"
    attachments: Annotated[list[Attachment], Field(max_length=50)] = []


class SnapshotDataset(Input):
    """A dataset of which a snapshot is made; its id alone, as a string, means the same."""

    dataset_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]

    @model_validator(mode="before")
    @classmethod
    def _from_id(cls, value: Any) -> Any:
        return {"dataset_id": value} if isinstance(value, str) else value


class Snapshots(Input):
    """Of which datasets a snapshot is made before or after each run of the job."""

    when: Literal["before", "after"]
    snapshot_datasets: Annotated[list[SnapshotDataset], Field(max_length=50)] = []


class JobDataset(Input):
    """A dataset under the name by which the job speaks of it. `index`: its place among the job's datasets."""

    alias: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
    dataset_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    index: Annotated[int, Field(ge=0, le=10_000)] | None = None
    snapshots: Snapshots | None = None


class JobInput(Input):
    """A definition as it is created or replaced. Only `name` and `type` are required; without an `intervalType` an
    interval says by itself what it is."""

    name: Name
    type: str
    slug: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")] | None = None
    description: Annotated[str, StringConstraints(max_length=10_000)] = ""
    tags: Annotated[list[Tag], Field(max_length=50)] = []
    interval_type: IntervalType = "none"
    interval: Annotated[str, StringConstraints(max_length=500)] | None = None
    timezone: str = "UTC"
    start_on: str | None = None
    end_on: str | None = None
    enabled: bool = True
    data: dict[str, Any] = {}
    policies: Policies = Policies()
    actions: Annotated[list[Action], Field(max_length=50)] = []
    datasets: Annotated[list[JobDataset], Field(max_length=50)] = []

    @model_validator(mode="after")
    def _reads_the_interval(self) -> Self:
        """Who writes an interval and no type means the one that it reads as, not a job that never runs."""
        if self.interval and "interval_type" not in self.model_fields_set:
            self.interval_type = interval_type_of(self.interval)
        return self


def interval_type_of(interval: str) -> Literal["cron", "simple", "once"]:
    """What an interval without a type reads as; whether it can be read at all is found when it is compiled."""
    if _MOMENT.match(interval):
        return "once"
    return "cron" if "@" in interval or "*" in interval or len(interval.split()) > _SIMPLE_WORDS else "simple"


class Job(Resource):
    """A published job as the API answers it. `version` moves with definition or state, never with progress."""

    id: str
    name: str
    slug: str
    type: str
    description: str = ""
    tags: list[str] = []
    owner_id: str
    natural_id: str = ""
    """`owner:slug`, the owner by handle; accepted wherever an id is."""
    account_id: str
    interval_type: IntervalType = "none"
    interval: str | None = None
    timezone: str = "UTC"
    start_on: str | None = None
    end_on: str | None = None
    enabled: bool = True
    paused_at: Instant | None = None
    data: dict[str, Any] = {}
    policies: Policies = Policies()
    actions: list[Action] = []
    datasets: list[JobDataset] = []
    defined_in: str | None = None
    """The file of the agent's definitions folder that says what it is; nothing else changes it then."""
    revision: int = 1
    version: int = 1
    next_run_at: Instant | None = None
    locked_at: Instant | None = None
    schedule_text: str = ""
    """The schedule in words, made by the agent: `every 10 minutes`, `02:00 on weekdays (Europe/Berlin)`."""
    recent: list[str] = []
    """States of the last 20 runs, newest last; filled by lists only."""
    sentinels: list[SentinelKind] = []
    """In which ways it behaves unlike itself; filled where jobs are read, not in events."""
    unreadable: str = ""
    """Why this agent cannot read its definition, of which nothing else is shown then. It does not fire, and may be
    replaced or deleted."""
    created_at: Instant
    updated_at: Instant
