"""From rows to models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import ValidationError

from agent.store.tables import job_statistics, jobs, runs, users
from agent.store.written import NO_JSON, reason
from shared.models import Job, Progress, Run, RunError
from shared.models.built import built
from shared.states import ACTIVE, RunState

T = TypeVar("T")
Row = sa.RowMapping | dict[str, Any]

IN_ONE = 500
"""Most values in one IN list: engines limit the parameters of a statement."""


def chunks(values: Iterable[T], size: int = IN_ONE) -> Iterator[list[T]]:
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def select_where_in(
    connection: sa.Connection, query: sa.Select[Any], column: sa.ColumnElement[Any], values: Iterable[Any]
) -> list[Row]:
    """All rows of `query` whose column has one of the values, however many those are."""
    return [row for part in chunks(values) for row in connection.execute(query.where(column.in_(part))).mappings()]


# -- jobs --------------------------------------------------------------------------------------------------------------

_locked_at = (
    sa.select(sa.func.max(runs.c.claimed_at, type_=runs.c.claimed_at.type))
    .where(runs.c.job_number == jobs.c.number, runs.c.finished_at.is_(None), runs.c.lease_until.is_not(None))
    .scalar_subquery()
    .label("locked_at")
)
_owner = sa.select(users.c.handle).where(users.c.id == jobs.c.owner_id).scalar_subquery().label("owner")
JOB = sa.select(jobs, _locked_at, _owner)

_JOB_COLUMNS = (
    "id", "name", "slug", "type", "owner_id", "account_id", "enabled", "paused_at", "revision", "version",
    "locked_at", "schedule_text", "defined_in", "created_at", "updated_at",
)  # fmt: skip


def job_of(row: Row, recent: Sequence[str] = ()) -> Job:
    """The job as the world sees it: while it is paused or disabled, no next run is promised. Of one whose definition
    cannot be read, what its row says."""
    own = {name: row[name] for name in _JOB_COLUMNS}
    own["natural_id"] = f"{row['owner'] or row['owner_id']}:{row['slug']}"
    own |= {"next_run_at": row["due_at"], "recent": list(recent)}
    written = row["definition"]
    if not isinstance(written, dict):
        return Job.model_validate({**own, "unreadable": NO_JSON})
    try:
        return Job.model_validate({**written, **own})
    except ValidationError as error:
        return Job.model_validate({**own, "unreadable": reason(error)})


# -- runs --------------------------------------------------------------------------------------------------------------

RUN_FROM = runs.join(jobs, jobs.c.number == runs.c.job_number).outerjoin(
    job_statistics, job_statistics.c.job_number == runs.c.job_number
)
_original = runs.alias("original")
_original_gone = sa.and_(
    runs.c.original_run_id.is_not(None), ~sa.exists().where(_original.c.id == runs.c.original_run_id).correlate(runs)
)
RUN_PARTS: tuple[Any, ...] = (
    runs,
    _original_gone.label("original_gone"),
    jobs.c.id.label("job_id"),
    jobs.c.name.label("job_name"),
    job_statistics.c.median,
    job_statistics.c.p90,
)
RUN = sa.select(*RUN_PARTS).select_from(RUN_FROM)

SHORTEST_LATE = 10.0
"""Seconds: nobody calls a run late that usually takes a moment and now takes three."""
_RUN_COLUMNS = (
    "id", "number", "job_id", "job_name", "account_id", "owner_id", "type", "revision", "cause", "fire_at",
    "created_at", "available_at", "started_at", "finished_at", "attempt", "max_attempts", "worker_id",
    "cancel_requested_at", "cancel_due_at", "cancel_deadline_at", "result", "warnings", "priority", "concurrency_key",
    "original_run_id", "version",
)  # fmt: skip


_PROGRESS_COLUMNS = ("done", "total", "unit", "note")
_pick_run, _pick_progress = itemgetter(*_RUN_COLUMNS), itemgetter(*_PROGRESS_COLUMNS)
_RUN_DEFAULTS = {name: None if field.is_required() else field.default for name, field in Run.model_fields.items()}
"""In the order of the fields; what is required comes from the row."""
_STATES = {str(state): state for state in RunState}


def run_of(row: Row, waiting_for: str | None = None) -> Run:
    """The values come from our own columns, each as it was validated when it was written: built without checks."""
    state = _STATES[row["state"]]
    values = _RUN_DEFAULTS.copy()
    values.update(zip(_RUN_COLUMNS, _pick_run(row), strict=True))
    values["state"] = state
    if state is RunState.PENDING and row["lease_until"] is not None:  # promised: to the world it waits
        values["attempt"], values["worker_id"] = row["attempt"] - 1, None
    values["progress"] = built(Progress, dict(zip(_PROGRESS_COLUMNS, _pick_progress(row), strict=True)))
    values["error"] = _error(row)
    values["original_gone"] = bool(row["original_gone"])
    values["waiting_for"] = waiting_for
    if state in ACTIVE:
        values["expected_seconds"], values["late_after_seconds"] = row["median"], _late_after(row["p90"])
    return built(Run, values)


def _late_after(p90: float | None) -> float | None:
    return None if p90 is None else max(p90, SHORTEST_LATE)


def _error(row: Row) -> RunError | None:
    if row["error_kind"] is None:
        return None
    said = {"kind": row["error_kind"], "message": row["error_message"]}
    transient, fingerprint = bool(row["error_transient"]), row["error_fingerprint"] or ""
    return built(RunError, {**said, "transient": transient, "fingerprint": fingerprint})


def error_columns(error: RunError | None) -> dict[str, Any]:
    if error is None:
        return dict.fromkeys(("error_kind", "error_message", "error_transient", "error_fingerprint"))
    return {
        "error_kind": error.kind,
        "error_message": error.message,
        "error_transient": error.transient,
        "error_fingerprint": error.fingerprint,
    }
