"""A job as the store is given it, and as it shows it in short."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from agent.core.driving import Needs
from agent.core.records.drafts import DraftMark
from shared.models import Job, JobInput


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
class JobChange:
    """A replaced definition: makes the next revision and the next version."""

    job_id: str
    definition: JobInput
    marks: ScheduleMarks
    author_id: str
    restored_from: int | None = None
    """The definition is that of this revision, byte for byte."""
    draft: DraftMark | None = None
    limit: ActiveLimit | None = None
    needs: Needs = field(default_factory=Needs)


@dataclass(frozen=True, slots=True)
class Publication:
    """One of several that are published together; a Job stays as it is, but for `defined_in`: the file of the
    definitions folder that says what it is."""

    what: NewJob | JobChange | Job
    expected_version: int | None = None
    defined_in: str | None = None


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
class JobStatistics:
    """Of a job's last completed runs (at most 100): durations in seconds."""

    median: float | None
    p90: float | None
    count: int
