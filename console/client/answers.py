"""Shapes of answers that only a client needs: pages, and what is asked beside the resources themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, Field

from shared.models import Fire, Job, JobInput, Run, RunError, Sentinel
from shared.models.applying import Difference
from shared.models.base import Instant, Resource
from shared.models.share import Visibility

T = TypeVar("T")


class Items(Resource, Generic[T]):
    """A list that comes whole."""

    items: list[T]


class Page(Resource, Generic[T]):
    """A part of a list in the store's order, newest first; `before` asks for the next part, None: there is none."""

    items: list[T]
    before: int | None = None


class _Embedded(BaseModel):
    jobs: list[Job] = Field(default=[], alias="inf:job")


class JobPage(Resource):
    """A part of the jobs, from number `start` on; `total` is how many there are in all."""

    embedded: _Embedded = Field(default=_Embedded(), alias="_embedded")
    start: int = 0
    count: int = 0
    total: int = 0

    @property
    def items(self) -> list[Job]:
        return self.embedded.jobs


class Counts(Resource):
    """How many runs there are by state."""

    counts: dict[str, int]
    total: int


class Explanation(Resource):
    """Why a job did (not) run, in sentences, with what they rest on."""

    job: Job
    sentences: list[str]
    last_fires: list[Fire] = []
    became: list[str] = []
    """Of each of the last fires, what the last sentences say."""
    active_runs: list[Run] = []
    next_fires: list[Instant] = []
    sentinels: list[Sentinel] = []

    @property
    def standing(self) -> list[str]:
        """The sentences that are not about the last fires."""
        return self.sentences[: len(self.sentences) - len(self.became)]

    @property
    def told_fires(self) -> list[tuple[Fire, str]]:
        """The last fires, with what became of each and why."""
        words = self.became or [fire.reason.replace("_", " ") for fire in self.last_fires]
        return list(zip(self.last_fires, words, strict=True))


class Revision(Resource):
    revision: int
    definition: JobInput
    author_id: str | None = None
    author: str | None = None
    restored_from: int | None = None
    created_at: Instant


_LOOKED_AHEAD = 5
"""Fires that the agent answers of each side; fewer are all that there are."""


class FireChange(NamedTuple):
    """A moment, whether it fires then as things are, and whether it will. `was` None: nobody looked so far."""

    at: datetime
    was: bool | None
    will_be: bool


class NextFires(Resource):
    """None: that schedule cannot be read."""

    before: list[Instant] | None = None
    after: list[Instant] | None = None

    def changes(self) -> list[FireChange]:
        """Beyond the last of a full list nobody looked: what is not in it may be there all the same. When it fires
        next is told however far that is."""
        before, after = self.before or [], self.after or []
        ends = [each[-1] for each in (before, after) if len(each) >= _LOOKED_AHEAD]
        seen = [at for at in sorted({*before, *after}) if not ends or at <= min(ends)]
        told = [FireChange(at, at in before, at in after) for at in seen]
        if after and not any(change.will_be for change in told):
            told.append(FireChange(after[0], None, will_be=True))
        return told


class Comparison(Resource):
    """What two definitions differ in, and when each would fire from now on."""

    fields: list[Difference] = []
    next_fires: NextFires = NextFires()


class FaultFound(Resource):
    """A wrong value of a definition that was checked but not stored."""

    field: str
    message: str
    value: Any = None


class FireNote(Resource):
    """What is special about a fire time: `mark` says which daylight-saving rule made it."""

    at: Instant
    mark: str


class Check(Resource):
    """What a definition would mean, were it stored."""

    faults: list[FaultFound] = []
    schedule_text: str = ""
    next_fires: list[Instant] = []
    notes: list[FireNote | str] = []


class FireTimes(Resource):
    fire_times: list[Instant] = []
    notes: list[FireNote] = []
    warnings: list[str] = []
    schedule_text: str = ""


class DriverInfo(Resource):
    """A job type: its form as JSON Schema, its ready values, what it may do."""

    type: str
    title: str = ""
    help: str = ""
    fields: dict[str, Any] = Field(default={}, alias="schema")
    template: dict[str, Any] | None = None
    runs_programs: bool = False
    repeat_safe: bool = False
    action_only: bool = False
    takes_attachments: bool = False


class ActionPreview(Resource):
    """`holds`: what its condition says over the results of `based_on_run_id`; `would`: what it would do, as its type
    tells it; `problem`: why it would fail, or cannot be told."""

    action_id: str
    type: str
    name: str
    condition: str | None = None
    holds: bool | None = None
    based_on_run_id: str | None = None
    would: dict[str, Any] | None = None
    problem: str | None = None


class Attempt(Resource):
    attempt: int
    worker_id: str | None = None
    claimed_at: Instant | None = None
    ended_at: Instant | None = None
    outcome: str | None = None
    error: RunError | None = None
    evidence: Any = None


class BulkError(Resource):
    code: str = "error"
    message: str = ""


class BulkItem(Resource):
    """What became of one run of a bulk act: `run` when it is done, `error` when it was refused."""

    id: str
    ok: bool
    run: Run | None = None
    error: BulkError | None = None


class AgentInfo(Resource):
    """The agent: `now` is its clock, `last_event_id` the position from which to listen without a gap."""

    name: str = ""
    version: str = ""
    started_at: Instant | None = None
    now: Instant
    data_dir: str = ""
    production: bool = False
    counts: dict[str, int] = {}
    last_event_id: int = 0
    held_fires: int = 0
    held_jobs: int = 0
    """Missed fires that wait for an operator, and of how many jobs."""
    store_trouble: str | None = None
    """Why the agent can store nothing at the moment."""


class ConnectionTest(Resource):
    ok: bool
    message: str = ""
    tables: list[str] = []


class Column(Resource):
    name: str
    type: str = ""
    primary_key: bool = False


class Table(Resource):
    name: str
    columns: list[Column] = []


BulkAct = Literal["cancel", "uncancel", "rerun"]


class OwnedBy(Resource):
    """Of what can be shared: whose it is, and who may see and use it."""

    name: str
    owner_id: str | None = None
    visibility: Visibility
