"""A run: one execution of one revision of a job."""

from __future__ import annotations

from typing import Any, Literal

from shared.models.base import Instant, Resource
from shared.states import RunState

RunCause = Literal["schedule", "catch_up", "manual", "api", "rerun"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogStream = Literal["log", "stdout", "stderr"]

LONGEST_LOG_TEXT = 500
"""Characters of a text that is looked for in logs."""


class Progress(Resource):
    """`done` of `total` units; `total` is None while it is not known."""

    done: int = 0
    total: int | None = None
    unit: str = ""
    note: str = ""


class RunError(Resource):
    """Why an attempt failed. `kind` is a stable word (`timeout`, `lost`, `exit_status`, `source_unreachable` …)."""

    kind: str
    message: str
    transient: bool = False
    fingerprint: str = ""


class Run(Resource):
    """A run as the API answers it. `number` is its place in the store's order of creation (the key of pages)."""

    id: str
    number: int
    job_id: str
    job_name: str
    account_id: str
    owner_id: str
    type: str
    revision: int
    state: RunState
    cause: RunCause = "schedule"
    fire_at: Instant | None = None
    created_at: Instant
    available_at: Instant
    """Not claimed before: jitter, catch-up spacing, retry back-off."""
    started_at: Instant | None = None
    finished_at: Instant | None = None
    attempt: int = 0
    max_attempts: int = 1
    worker_id: str | None = None
    cancel_requested_at: Instant | None = None
    cancel_due_at: Instant | None = None
    """When the cancel of a run that waits takes effect, unless it is withdrawn before; until then nothing claims it."""
    cancel_deadline_at: Instant | None = None
    """When KILL follows TERM; set with `cancel_requested_at` on a running run."""
    progress: Progress = Progress()
    error: RunError | None = None
    result: dict[str, Any] | None = None
    warnings: list[str] = []
    priority: int = 0
    concurrency_key: str | None = None
    waiting_for: str | None = None
    """Why a due pending run does not start: `no free worker`, `key orders: 1 of 1 running` …"""
    original_run_id: str | None = None
    original_gone: bool = False
    """The run that this one repeats is no longer kept."""
    version: int = 1
    expected_seconds: float | None = None
    """Median duration of the job's last completed runs; filled for active runs, for the ETA."""
    late_after_seconds: float | None = None
    """The job's p90, at least 10 s; a run that takes longer is late."""


class Step(Resource):
    run_id: str
    position: int
    attempt: int
    key: str
    title: str
    state: Literal["running", "completed", "failed", "cancelled", "skipped"]
    started_at: Instant
    finished_at: Instant | None = None
    message: str = ""
    result: dict[str, Any] | None = None


class LogLine(Resource):
    """One line of a run's log; `number` counts from 1."""

    number: int
    at: Instant
    level: LogLevel = "info"
    stream: LogStream = "log"
    text: str


class LogPage(Resource):
    lines: list[LogLine]
    total: int
    """Lines stored so far."""
    first_error: int | None = None
    """Number of the first line of level error."""
    complete: bool = False
    """True when the run has ended: no line will follow."""


class LogHits(Resource):
    """What one search of a log found, in the order of the search."""

    hits: list[LogLine]
    next: int | None = None
    """The line from which to go on: the hits wanted are there, or the time for one answer is over. None: all of the
    log was looked through, up to its end as it was then."""
    scanned: int
    """Lines looked through."""
    total: int
    """Lines stored so far."""
