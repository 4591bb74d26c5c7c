"""What a new run's row is made of: its job's row, and what the job's definition says of its runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from agent.core.records import NewRun
from agent.store.engine.prepared import Lookup
from agent.store.identity import limits
from agent.store.rows import Row
from agent.store.tables import ACTIVE, LEAVING, WAITING, job_revisions, job_statistics, jobs, runs
from agent.store.types import from_json
from agent.store.written import read_definition
from shared.errors import NotFound
from shared.states import RunState

_Said = dict[tuple[int, int], dict[str, Any]]

COLUMNS = (
    "id", "account_id", "job_number", "owner_id", "type", "revision", "state", "cause", "fire_at", "created_at",
    "available_at", "chained", "attempt", "max_attempts", "priority", "concurrency_key", "concurrency_limit",
    "original_run_id", "version", "done", "unit", "note", "warnings",
)  # fmt: skip
"""Those that a new run has; see `_row`."""
_UNSET: dict[str, Any] = {**dict.fromkeys(column.name for column in runs.c), "original_gone": False}

_OWNER_COLUMNS = ("number", "id", "name", "account_id", "owner_id", "revision")
_OWNER = (
    sa.select(
        *(jobs.c[name] for name in _OWNER_COLUMNS),
        sa.type_coerce(jobs.c.definition, sa.Text).label("written"),
        job_statistics.c.median,
        job_statistics.c.p90,
        *limits.written_of(jobs.c.account_id),
    )
    .select_from(jobs.outerjoin(job_statistics))
    .where(jobs.c.deleted_at.is_(None))
)
_OWNERS = Lookup(_OWNER, jobs.c.id)
_waiting = sa.exists().where(
    WAITING, ~LEAVING, runs.c.available_at <= sa.bindparam("now", type_=runs.c.available_at.type)
)
_active = sa.exists().where(ACTIVE, runs.c.job_number == jobs.c.number)
_OWNERS_AND_BEFORE = Lookup(_OWNER.add_columns(_waiting.label("any_waits"), _active.label("has_active")), jobs.c.id)


def jobs_of(connection: sa.Connection, new: Sequence[NewRun], before: datetime | None = None) -> dict[str, Row]:
    """The rows of the runs' jobs by their ids, with what `limits.read` needs. NotFound if one is not there. `before`: also
    whether `any_waits` of all runs that could start then, and whether the job `has_active` ones."""
    wanted = {run.job_id for run in new}
    rows = (
        _OWNERS.rows(connection, wanted) if before is None else _OWNERS_AND_BEFORE.rows(connection, wanted, now=before)
    )
    found: dict[str, Row] = {row["id"]: row for row in rows}
    for run in new:
        job = found.get(run.job_id)
        if job is None or run.account_id not in (None, job["account_id"]):
            raise NotFound(f"there is no job {run.job_id!r}")
    return found


def rows_of(
    connection: sa.Connection, new: Sequence[NewRun], owners: Mapping[str, Row], now: datetime
) -> list[dict[str, Any]]:
    """COLUMNS of each, pending. NotFound if a revision that is named is not there."""
    said = _said(connection, new, owners)
    return [_row(run, owners[run.job_id], said, now) for run in new]


def whole(row: Mapping[str, Any], job: Row, number: int) -> dict[str, Any]:
    """A new run's row as it would be read."""
    of_job = {"job_id": job["id"], "job_name": job["name"], "median": job["median"], "p90": job["p90"]}
    return {**_UNSET, **row, **of_job, "number": number}


def _said(connection: sa.Connection, new: Iterable[NewRun], owners: Mapping[str, Row]) -> _Said:
    """What definitions say of their runs, by job number and revision: of current revisions and of others that are named."""
    found: _Said = {(job["number"], job["revision"]): _columns(job["written"]) for job in owners.values()}
    named = {(owners[run.job_id]["number"], run.revision) for run in new if run.revision is not None}
    for number, revision in sorted(named - found.keys()):
        query = sa.select(sa.type_coerce(job_revisions.c.definition, sa.Text))
        query = query.where(job_revisions.c.job_number == number, job_revisions.c.revision == revision)
        written = connection.scalar(query)
        if written is None:
            raise NotFound(f"the job has no revision {revision}")
        found[number, revision] = _columns(written)
    return found


@lru_cache(maxsize=1000)
def _columns(written: str) -> dict[str, Any]:
    """Of a definition's runs; nobody writes to it. Unreadable: there is none of it."""
    try:
        definition = from_json(written)
        policies = definition["policies"]
        return {
            "type": definition["type"],
            "chained": policies["overlap"] != "allow",
            "max_attempts": policies["retry"]["attempts"],
            "priority": policies["priority"],
            "concurrency_key": policies["concurrency"]["key"],
            "concurrency_limit": policies["concurrency"]["limit"],
        }
    except (ValueError, TypeError, LookupError):
        read_definition(written)
        raise


def _row(run: NewRun, job: Row, said: _Said, now: datetime) -> dict[str, Any]:
    revision = job["revision"] if run.revision is None else run.revision
    row = {
        **said[job["number"], revision],
        "id": run.id,
        "account_id": job["account_id"],
        "job_number": job["number"],
        "owner_id": job["owner_id"],
        "revision": revision,
        "state": RunState.PENDING,
        "cause": run.cause,
        "fire_at": run.fire_at,
        "created_at": now,
        "available_at": run.available_at,
        "attempt": 0,
        "original_run_id": run.original_run_id,
        "version": 1,
        "done": 0,
        "unit": "",
        "note": "",
        "warnings": [],
    }
    if run.chained is not None:
        row["chained"] = run.chained
    if run.variant is not None:
        row["type"] = run.variant.type
    return row
