"""Runs, jobs and events with only what a test is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared.models import Event, Job, Run, RunError
from shared.states import RunState

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def run(number: int, state: RunState = RunState.PENDING, *, cause: str = "", **details: Any) -> Run:
    error = RunError(kind="exit_status", message=f"broken by {cause}", fingerprint=cause) if cause else None
    return Run(
        id=f"run-{number:06d}", number=number, job_id=f"job-{number % 3}", job_name=f"Job {number % 3}", account_id="main",
        owner_id="ada", type="command", revision=1, state=state, created_at=NOW, available_at=NOW, error=error, **details,
    )  # fmt: skip


def job(number: int, **details: Any) -> Job:
    return Job(
        id=f"job-{number}", name=details.pop("name", f"Job {number}"), slug=f"job-{number}", type="command", owner_id="ada",
        account_id="main", created_at=NOW, updated_at=NOW, **details,
    )  # fmt: skip


def event(number: int, kind: Any, subject_id: str, data: dict[str, Any] | None = None) -> Event:
    return Event(id=number, at=NOW, kind=kind, account_id="main", subject_id=subject_id, data=data or {})


def wire(resource: Run | Job) -> dict[str, Any]:
    """As the agent puts it into an event's data."""
    return resource.model_dump(mode="json", by_alias=True)
