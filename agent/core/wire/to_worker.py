"""What the agent says to a worker, which takes its orders one after another."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from agent.core.wire.grants import AttachmentGrant, ConnectionGrant, DatasetGrant, KnowledgeBaseGrant
from agent.core.wire.message import Message
from shared.models import MailServer, RunLimits


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


AnyOrder = Order | CancelOrder | RecallOrder | LaidOrder | SettledOrder | StopOrder
WorkerOrder = Annotated[AnyOrder, Field(discriminator="op")]

orders: TypeAdapter[AnyOrder] = TypeAdapter(WorkerOrder)


def line_of(word: WorkerOrder) -> bytes:
    return word.model_dump_json().encode() + b"\n"
