"""What the core hands to the store and gets from it where the API's models do not fit, a subject a file."""

from agent.core.records.attempts import Ahead, ClaimedRun, Fence, Lease, Outcome, RunUpdate
from agent.core.records.audit import AuditQuery, NewRefusal
from agent.core.records.datasets import RowsQuery
from agent.core.records.drafts import DraftMark, NewDraft
from agent.core.records.fires import DueJob, FireRow, Held, NextTurn, SettledJob
from agent.core.records.jobs import ActiveLimit, JobChange, JobHead, JobStatistics, NewJob, Publication, ScheduleMarks
from agent.core.records.logs import LogSearch
from agent.core.records.pruning import OldRows, StoreSize
from agent.core.records.runs import NewRun, PastRun, RunPage, RunQuery, RunVariant, Tally
from agent.core.records.shares import NewShare

__all__ = [
    "ActiveLimit",
    "Ahead",
    "AuditQuery",
    "ClaimedRun",
    "DraftMark",
    "DueJob",
    "Fence",
    "FireRow",
    "Held",
    "JobChange",
    "JobHead",
    "JobStatistics",
    "Lease",
    "LogSearch",
    "NewDraft",
    "NewJob",
    "NewRefusal",
    "NewRun",
    "NewShare",
    "NextTurn",
    "OldRows",
    "Outcome",
    "PastRun",
    "Publication",
    "RowsQuery",
    "RunPage",
    "RunQuery",
    "RunUpdate",
    "RunVariant",
    "ScheduleMarks",
    "SettledJob",
    "StoreSize",
    "Tally",
]
