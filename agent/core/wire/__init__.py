"""What agent and worker say to each other: JSON lines over a socket pair, one object a line.

Agent to worker: everything in `WorkerOrder`. Worker to agent: everything in `WorkerEvent`.
"""

from __future__ import annotations

from agent.core.wire.grants import (
    AttachmentGrant,
    ConnectionGrant,
    DatasetGrant,
    KnowledgeBaseGrant,
    RowLimit,
    StoredLimit,
)
from agent.core.wire.to_agent import (
    Checkpointed,
    Cleared,
    Ended,
    Exceeded,
    Hello,
    Logged,
    Progressed,
    Returned,
    RunMessage,
    Settling,
    Started,
    StepChanged,
    Warned,
    WireLine,
    WorkerEvent,
    events,
)
from agent.core.wire.to_worker import (
    ActionOrder,
    AnyOrder,
    CancelOrder,
    LaidOrder,
    Order,
    RecallOrder,
    SettledOrder,
    StopOrder,
    WorkerOrder,
    line_of,
    orders,
)

__all__ = [
    "ActionOrder",
    "AnyOrder",
    "AttachmentGrant",
    "CancelOrder",
    "Checkpointed",
    "Cleared",
    "ConnectionGrant",
    "DatasetGrant",
    "Ended",
    "Exceeded",
    "Hello",
    "KnowledgeBaseGrant",
    "LaidOrder",
    "Logged",
    "Order",
    "Progressed",
    "RecallOrder",
    "Returned",
    "RowLimit",
    "RunMessage",
    "SettledOrder",
    "Settling",
    "Started",
    "StepChanged",
    "StopOrder",
    "StoredLimit",
    "Warned",
    "WireLine",
    "WorkerEvent",
    "WorkerOrder",
    "events",
    "line_of",
    "orders",
]
