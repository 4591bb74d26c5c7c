"""The shapes that cross the API, one file per word of the product."""

from shared.models.backlog import Backlog, HeldChoice, HeldDecision, HeldJob, ReleaseChoice
from shared.models.draft import Draft, DraftInput
from shared.models.event import Event, EventKind
from shared.models.fire import Fire, FireOutcome, FireReason
from shared.models.job import (
    Action,
    Attachment,
    CatchUp,
    Concurrency,
    Dst,
    Job,
    JobDataset,
    JobInput,
    Policies,
    Retry,
    RunLimits,
    SentinelPolicy,
    SnapshotDataset,
    Snapshots,
)
from shared.models.mail import MailServer
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
    "Attachment",
    "Backlog",
    "CatchUp",
    "Concurrency",
    "Connection",
    "ConnectionInput",
    "Draft",
    "DraftInput",
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
    "JobDataset",
    "JobInput",
    "KnowledgeBase",
    "KnowledgeBaseInput",
    "LogHits",
    "LogLine",
    "LogPage",
    "MailServer",
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
    "SnapshotDataset",
    "Snapshots",
    "Step",
    "TokenInfo",
    "Worker",
]
