"""What a run, a job and an entry of the audit hold, by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.filters.terms import Kind
from shared.models import Job, Run
from shared.models.audit import AuditEntry

if TYPE_CHECKING:
    from shared.filters.filter import Known

Texts = list[str | None]


def texts_of(kind: Kind, field: str, item: Any, known: Known, *, within: bool) -> list[str]:
    """The texts of a field that are there. `within`: those that are searched, else those that may be equal."""
    match kind:
        case "run":
            texts = _run_texts(field, item, known, within=within)
        case "job":
            texts = _job_texts(field, item, known)
        case _:
            texts = _entry_texts(field, item)
    return [text for text in texts if text]


def phrases_of(kind: Kind, item: Any) -> list[str]:
    """The texts that bare words search."""
    if kind == "job":
        return [item.name, item.description]
    if kind == "audit":
        return [item.handle, item.act, item.event or "", item.subject_name or "", item.reason or ""]
    return [item.job_name, item.error.message] if item.error else [item.job_name]


def value_of(kind: Kind, field: str, item: Any, now: datetime) -> Any:
    """A moment, span, number or flag; None where it is not there."""
    if kind == "run":
        return _run_value(field, item, now)
    return getattr(item, field) if kind == "audit" else _JOB_VALUES[field](item)


def _run_texts(field: str, run: Run, known: Known, *, within: bool) -> Texts:
    match field:
        case "job":
            return [run.job_id, run.job_name, known.slugs.get(run.job_id)]
        case "tag":
            return list(known.tags.get(run.job_id, ()))
        case "owner":
            return [run.owner_id, known.handles.get(run.owner_id)]
        case "error" if run.error is None:
            return []
        case "error":
            assert run.error is not None
            return [run.error.kind, run.error.fingerprint, run.error.message if within else None]
        case _:
            return [getattr(run, _RUN_TEXTS[field])]


_RUN_TEXTS = {"type": "type", "name": "job_name", "id": "id", "worker": "worker_id", "key": "concurrency_key"}


def _job_texts(field: str, job: Job, known: Known) -> Texts:
    match field:
        case "tag":
            return list(job.tags)
        case "sentinel":
            return list(job.sentinels)
        case "owner":
            return [job.owner_id, known.handles.get(job.owner_id)]
        case "schedule":
            return [job.interval_type, job.interval, job.schedule_text]
        case _:
            return [getattr(job, field)]


def _entry_texts(field: str, entry: AuditEntry) -> Texts:
    match field:
        case "user":
            return [entry.user_id, entry.handle]
        case "subject":
            return [entry.subject_id, entry.subject_name]
        case "act":
            return [entry.act, entry.event]
        case "token":
            return [entry.token_id]
        case _:
            return [getattr(entry, field)]


def _run_value(field: str, run: Run, now: datetime) -> Any:
    match field:
        case "dur":
            return _duration(run, now)
        case "progress":
            total = run.progress.total
            return run.progress.done * 100.0 / total if total is not None and total > 0 else None
        case _:
            return _RUN_VALUES[field](run)


def _duration(run: Run, now: datetime) -> timedelta | None:
    return (run.finished_at or now) - run.started_at if run.started_at is not None else None


_RUN_VALUES: Mapping[str, Callable[[Run], Any]] = {
    "started": lambda run: run.started_at,
    "created": lambda run: run.created_at,
    "finished": lambda run: run.finished_at,
    "attempt": lambda run: run.attempt,
    "revision": lambda run: run.revision,
    "cause": lambda run: run.cause,
}

_JOB_VALUES: Mapping[str, Callable[[Job], Any]] = {
    "enabled": lambda job: job.enabled,
    "paused": lambda job: job.paused_at is not None,
    "next": lambda job: job.next_run_at,
    "created": lambda job: job.created_at,
    "updated": lambda job: job.updated_at,
    "revision": lambda job: job.revision,
}
