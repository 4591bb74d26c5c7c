"""The shapes that cross the API, one file per word of the product."""

from shared.models.backlog import Backlog, HeldChoice, HeldDecision, HeldJob, ReleaseChoice
from shared.models.event import Event, EventKind
from shared.models.fire import Fire, FireOutcome, FireReason
from shared.models.job import (
    Action,
    CatchUp,
    Concurrency,
    Dst,
    Job,
    JobInput,
    Policies,
    Retry,
    RunLimits,
    SentinelPolicy,
)
from shared.models.run import LogHits, LogLine, LogPage, Progress, Run, RunCause, RunError, Step
from shared.models.sentinel import Sentinel, SentinelKind
from shared.models.world import (
    Connection,
    ConnectionInput,
    KnowledgeBase,
    KnowledgeBaseInput,
    SearchHit,
    SearchInput,
    TokenInfo,
    Worker,
)

__all__ = [
    "Action",
    "Backlog",
    "CatchUp",
    "Concurrency",
    "Connection",
    "ConnectionInput",
    "Dst",
    "Event",
    "EventKind",
    "Fire",
    "FireOutcome",
    "FireReason",
    "HeldChoice",
    "HeldDecision",
    "HeldJob",
    "Job",
    "JobInput",
    "KnowledgeBase",
    "KnowledgeBaseInput",
    "LogHits",
    "LogLine",
    "LogPage",
    "Policies",
    "Progress",
    "ReleaseChoice",
    "Retry",
    "Run",
    "RunCause",
    "RunError",
    "RunLimits",
    "SearchHit",
    "SearchInput",
    "Sentinel",
    "SentinelKind",
    "SentinelPolicy",
    "Step",
    "TokenInfo",
    "Worker",
]
