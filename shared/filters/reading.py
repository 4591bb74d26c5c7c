"""What a run and a job hold, by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.filters.terms import Kind
from shared.models import Job, Run

if TYPE_CHECKING:
    from shared.filters.filter import Known

Texts = list[str | None]


def texts_of(kind: Kind, field: str, item: Any, known: Known, *, within: bool) -> list[str]:
    """The texts of a field that are there. `within`: those that are searched, else those that may be equal."""
    texts = _run_texts(field, item, known, within=within) if kind == "run" else _job_texts(field, item, known)
    return [text for text in texts if text]


def phrases_of(kind: Kind, item: Any) -> list[str]:
    """The texts that bare words search."""
    if kind == "job":
        return [item.name, item.description]
    return [item.job_name, item.error.message] if item.error else [item.job_name]


def value_of(kind: Kind, field: str, item: Any, now: datetime) -> Any:
    """A moment, span, number or flag; None where it is not there."""
    return _run_value(field, item, now) if kind == "run" else _JOB_VALUES[field](item)


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
