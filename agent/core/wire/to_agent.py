"""What a worker says to the agent. Every event of a run carries `run_id` and `attempt`, which are checked against the fence."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from agent.core.wire.message import Message
from shared.models import Progress, RunError
from shared.models.run import LogLevel, LogStream


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


AnyEvent = (
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
)
WorkerEvent = Annotated[AnyEvent, Field(discriminator="op")]

events: TypeAdapter[AnyEvent] = TypeAdapter(WorkerEvent)
