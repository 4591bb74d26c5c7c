"""What a driver is, to the agent that lists it and to the worker that runs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from agent.core.actions.steps import Steps
from agent.core.wire import AttachmentGrant, ConnectionGrant, DatasetGrant, KnowledgeBaseGrant
from shared.clock import Clock
from shared.models import MailServer


class DriverError(Exception):
    """A driver's failure with a stable word for its kind; only transient ones are retried."""

    def __init__(
        self, kind: str, message: str, *, transient: bool = False, result: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.kind = str(kind)  # of plug-ins too, whose code nobody has checked
        self.message = str(message)
        self.transient = transient
        self.result = result
        """What was done until then, to be kept with the failed run."""


class RunCancelled(Exception):
    """Raised out of `RunContext.check_cancelled`; a driver lets it pass."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Names in the job's data that the agent resolves, with permission, before the run is handed over."""

    connections: tuple[str, ...] = ()
    knowledge_bases: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    mail_server: bool = False
    """The mail server of the agent's settings."""
    changed: frozenset[tuple[str, str]] = frozenset()
    """Of all these, as `("dataset", name)`, what is not only used but changed: whoever names it must be its editor."""

    def __add__(self, other: Needs) -> Needs:
        return Needs(
            connections=_both(self.connections, other.connections),
            knowledge_bases=_both(self.knowledge_bases, other.knowledge_bases),
            secrets=_both(self.secrets, other.secrets),
            datasets=_both(self.datasets, other.datasets),
            mail_server=self.mail_server or other.mail_server,
            changed=self.changed | other.changed,
        )


def _both(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


class StepHandle(Protocol):
    def message(self, text: str) -> None: ...

    def result(self, data: dict[str, Any]) -> None: ...


class RunContext(Protocol):
    """What a driver's code may use. All methods are cheap: events are batched and coalesced behind them."""

    run_id: str
    attempt: int
    job_id: str
    job_name: str
    account_id: str
    kill_grace: float
    clock: Clock
    cancelled: threading.Event
    """Set when cancel was asked or the time ran out."""
    checkpoint: dict[str, Any] | None
    """What the attempt before this one saved last."""
    allow_private_addresses: list[str]
    file_roots: list[str]
    """Folders that files may be written to and read from; relative names begin at the first."""
    smtp_hosts: list[str]
    mail_server: MailServer | None
    idempotency_key: str
    """Of what this step does outside: the same in every attempt of the run."""
    steps: Steps
    """What the steps before have brought; empty in a job without actions."""
    attachments: Sequence[AttachmentGrant]
    """Of this action."""

    @property
    def scratch(self) -> Path:
        """The run's own folder, made when it is first asked for; it is removed when the run is over."""

    def check_cancelled(self) -> None:
        """Raise RunCancelled if it was asked for; call it between units of work."""

    def signal_programs(self, number: int) -> int:
        """Send a signal to every process that this run started, detached ones included; how many there were."""

    def progress(self, done: int, total: int | None = None, *, unit: str = "", note: str = "") -> None: ...

    def log(self, text: str, *, level: str = "info", stream: str = "log") -> None: ...

    def warn(self, text: str) -> None: ...

    def step(self, key: str, title: str) -> AbstractContextManager[StepHandle]:
        """A stage of the run; an exception out of the block marks it failed, RunCancelled cancelled."""

    def save_checkpoint(self, data: dict[str, Any]) -> None: ...

    def connection(self, name: str) -> ConnectionGrant: ...

    def knowledge_base(self, name: str) -> KnowledgeBaseGrant: ...

    def dataset(self, alias: str) -> DatasetGrant:
        """By the job's alias for it, or as the parameters name it. `SnapshotFolder(Path(grant.path)).latest()` of
        `agent.resources.datasets.folder` is its latest snapshot, `.parquet(snapshot)` where that lies."""

    def secret(self, name: str) -> str: ...

    def log_tail(self, lines: int) -> list[str]:
        """The last lines that the steps before have logged in this attempt, oldest first; at most LOG_TAIL are kept."""


LOG_TAIL = 1000
"""Lines of its log that a run with actions remembers for them."""

RunFunction = Callable[[RunContext, Any], dict[str, Any]]
"""(context, parameters of the manifest's model) -> the run's result; raises DriverError or RunCancelled."""


ParametersModel = type[BaseModel]


def _no_needs(_parameters: BaseModel) -> Needs:
    return Needs()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A driver as the agent knows it without importing its code.

    `entry` is `module:function`, a RunFunction, imported only in a worker. `check`, if given, is
    `module:function` too: (parameters, connections, knowledge bases) -> None, run in a thread when a job is
    published, where all but knowledge bases is there; it raises InvalidInput with fields under `data`.
    """

    type: str
    title: str
    help: str
    parameters: ParametersModel
    entry: str
    runs_programs: bool = False
    """Needs the scope `code` to create or change."""
    repeat_safe: bool = True
    """Decides the default of `on_lost`: retry or fail."""
    needs: Callable[[Any], Needs] = _no_needs
    check: str | None = None
    preview: str | None = None
    """`module:function` too: (context, parameters) -> what a run would do, doing nothing outside; called in a process of its own."""
    action_only: bool = False
    """A step of a job, not a job of its own."""
    takes_attachments: bool = False
    """Does something with what is attached to an action of its type."""
    template: Mapping[str, Any] = field(default_factory=dict)
    """A ready form: example values for `data`."""
