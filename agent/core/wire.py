"""What agent and worker say to each other: JSON lines over a socket pair, one object a line.

Agent to worker: everything in `WorkerOrder`. A worker takes its orders one after another. Worker to agent: everything in `WorkerEvent`.
Every event of a run carries `run_id` and `attempt`; the agent checks both against the fence.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared.models import MailServer, Progress, RunError, RunLimits
from shared.models.run import LogLevel, LogStream


class Message(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ConnectionGrant(Message):
    """A data source with its credentials, for one run."""

    id: str
    name: str
    kind: str
    url: str
    query_seconds: float | None = None
    """One query may take so long; None: as long as it takes."""


class RowLimit(Message):
    """How many rows an account may have in its knowledge bases together; `folder` has a folder of each."""

    account_id: str
    most: int
    folder: str


class KnowledgeBaseGrant(Message):
    """A knowledge base that the run may write: its folder and its embedder."""

    id: str
    name: str
    path: str
    embedder: str
    dimensions: int
    networks: list[str] = []
    """In which its embedder may be reached although they are private."""
    rows: RowLimit | None = None
    """Of its account."""


class AttachmentGrant(Message):
    """What an action takes with it. `path`: where the content lies, of a file; `data` says the rest, as its type has it."""

    type: str
    name: str
    data: dict[str, Any] = {}
    path: str | None = None


class ActionOrder(Message):
    """One action of a run. `name` is what people call it; `condition` was compiled when the job was published."""

    id: str
    name: str
    type: str
    entry: str
    data: dict[str, Any]
    condition: str | None = None
    on_error: Literal["stop", "continue"] = "stop"
    attachments: list[AttachmentGrant] = []


class StoredLimit(Message):
    """How many bytes an account may have in these folders together; whoever adds to them holds the first one's lock."""

    most: int
    folders: list[str]


class DatasetGrant(Message):
    """A dataset that the run may read and refresh: the folder of its snapshots, and how the next one is made. Its
    connection is among the run's."""

    id: str
    name: str
    path: str
    connection: str | None = None
    query: str | None = None
    parameters: dict[str, Any] = {}
    keep_count: int | None = None
    keep_age: float | None = None
    """Seconds."""
    query_seconds: float | None = None
    """A question about its rows may take so long."""
    stored: StoredLimit | None = None
    """Of its account."""


class Order(Message):
    """One run to execute. `entry` is `module:function`; `data` the driver's parameters, already checked."""

    op: Literal["run"] = "run"
    run_id: str
    attempt: int
    job_id: str
    job_name: str
    account_id: str
    owner_id: str
    type: str
    entry: str
    data: dict[str, Any]
    checkpoint: dict[str, Any] | None = None
    timeout: float | None = None
    """Seconds for this attempt."""
    kill_grace: float = 10.0
    """Seconds between TERM and KILL."""
    scratch: str
    """A folder of the run's own, removed after it."""
    connections: dict[str, ConnectionGrant] = {}
    knowledge_bases: dict[str, KnowledgeBaseGrant] = {}
    datasets: dict[str, DatasetGrant] = {}
    """By alias, name or id: as the job speaks of them."""
    snapshots_before: list[str] = []
    snapshots_after: list[str] = []
    """Datasets (keys of `datasets`) of which a snapshot is made around the run."""
    file_roots: list[str] = []
    """Folders that exports and imports may reach; the first is where relative names begin."""
    secrets: dict[str, str] = {}
    mail_server: MailServer | None = None
    """The agent's own, where the run uses it; its password is among `secrets`."""
    allow_private_addresses: list[str] = []
    """Networks that outgoing HTTP and mail may reach although they are private."""
    smtp_hosts: list[str] = []
    """Mail servers that may be reached wherever they are."""
    actions: list[ActionOrder] = []
    limits: RunLimits = RunLimits()
    lease_until: datetime | None = None
    """Until when the claim holds by itself: nothing begins after it, for the run may have been given to another."""
    laid: bool = False
    """It is kept until a `LaidOrder` says what becomes of it: neither the moment of the run has come, nor is it stored."""


class CancelOrder(Message):
    op: Literal["cancel"] = "cancel"
    run_id: str
    reason: Literal["cancel", "timeout"] = "cancel"


class RecallOrder(Message):
    """Give back those of these runs that have not begun: what stands before them takes longer than was thought."""

    op: Literal["recall"] = "recall"
    run_ids: list[str]


class LaidOrder(Message):
    """All orders that are laid in the worker begin now, behind what it has; or, `begin` being false, never were."""

    op: Literal["laid"] = "laid"
    begin: bool


class SettledOrder(Message):
    """What the run said before it asked (`Settling`) is stored."""

    op: Literal["settled"] = "settled"
    run_id: str


class StopOrder(Message):
    """Finish what runs, then exit."""

    op: Literal["stop"] = "stop"


WorkerOrder = Annotated[
    Order | CancelOrder | RecallOrder | LaidOrder | SettledOrder | StopOrder, Field(discriminator="op")
]


class Hello(Message):
    op: Literal["hello"] = "hello"
    pid: int


class RunMessage(Message):
    run_id: str
    attempt: int


class Started(RunMessage):
    """The driver's code begins."""

    op: Literal["started"] = "started"
    at: datetime


class Progressed(RunMessage):
    op: Literal["progress"] = "progress"
    progress: Progress


class WireLine(Message):
    at: datetime
    level: LogLevel = "info"
    stream: LogStream = "log"
    text: str


class Logged(RunMessage):
    op: Literal["log"] = "log"
    lines: list[WireLine]


class StepChanged(RunMessage):
    op: Literal["step"] = "step"
    position: int
    key: str
    title: str
    state: Literal["running", "completed", "failed", "cancelled", "skipped"]
    at: datetime
    message: str = ""
    result: dict[str, Any] | None = None


class Checkpointed(RunMessage):
    op: Literal["checkpoint"] = "checkpoint"
    data: dict[str, Any]


class Settling(RunMessage):
    """Nothing more is done until all that was said before is stored: the answer is a `SettledOrder`."""

    op: Literal["settling"] = "settling"


class Warned(RunMessage):
    op: Literal["warning"] = "warning"
    text: str


class Exceeded(RunMessage):
    """The run took more than one of its limits allows; it is ended for it. Heard by the executor alone."""

    op: Literal["exceeded"] = "exceeded"
    limit: Literal["memory", "output", "open_files"]
    used: int
    own: bool = False
    """The worker itself took it, not only what it started: it cannot be used again."""


class Cleared(RunMessage):
    """The worker has no child left and takes the next order; said after `Ended`, heard by the executor alone."""

    op: Literal["cleared"] = "cleared"
    threads: int = 0
    """Threads of the driver that still run: the worker cannot be used again."""
    scratch: bool = True
    """The run's folder is there, and is to be removed."""


class Ended(RunMessage):
    """The driver's code is over. The run is over only when the executor has proven that no process is left. A short run
    that left nothing says all that it has to say by this."""

    op: Literal["ended"] = "ended"
    outcome: Literal["completed", "failed", "cancelled"]
    at: datetime
    result: dict[str, Any] | None = None
    error: RunError | None = None
    began: datetime | None = None
    """When the driver's code began, where no `Started` said so."""
    cleared: Cleared | None = None
    """Where the worker has no child left: what would follow at once."""


class Returned(RunMessage):
    """The run that was recalled had not begun, and will not here. Heard by the executor alone."""

    op: Literal["returned"] = "returned"


WorkerEvent = Annotated[
    Hello
    | Started
    | Progressed
    | Logged
    | StepChanged
    | Checkpointed
    | Settling
    | Warned
    | Exceeded
    | Ended
    | Cleared
    | Returned,
    Field(discriminator="op"),
]

orders: TypeAdapter[Order | CancelOrder | RecallOrder | LaidOrder | SettledOrder | StopOrder] = TypeAdapter(WorkerOrder)
events: TypeAdapter[
    Hello
    | Started
    | Progressed
    | Logged
    | StepChanged
    | Checkpointed
    | Settling
    | Warned
    | Exceeded
    | Ended
    | Cleared
    | Returned
] = TypeAdapter(WorkerEvent)


def line_of(word: WorkerOrder) -> bytes:
    return word.model_dump_json().encode() + b"\n"
