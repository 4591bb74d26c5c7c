"""Runs: creating them, and what their attempts say while they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from agent.core.records import NewRun
from agent.store import events
from agent.store.engine.prepared import Lookup, Prepared
from agent.store.identity import limits
from agent.store.rows import Row, run_of
from agent.store.runs import variants
from agent.store.tables import job_revisions, job_statistics, jobs, runs
from agent.store.types import from_json
from agent.store.written import read_definition
from shared.errors import NotFound
from shared.models import Run
from shared.states import RunState

_Said = dict[tuple[int, int], dict[str, Any]]

_OWNER_COLUMNS = ("number", "id", "name", "account_id", "owner_id", "revision")
_OWNERS = Lookup(
    sa.select(
        *(jobs.c[name] for name in _OWNER_COLUMNS),
        sa.type_coerce(jobs.c.definition, sa.Text).label("written"),
        job_statistics.c.median,
        job_statistics.c.p90,
        *limits.written_of(jobs.c.account_id),
    )
    .select_from(jobs.outerjoin(job_statistics))
    .where(jobs.c.deleted_at.is_(None)),
    jobs.c.id,
)
_SET = (
    "id", "account_id", "job_number", "owner_id", "type", "revision", "state", "cause", "fire_at", "created_at",
    "available_at", "chained", "attempt", "max_attempts", "priority", "concurrency_key", "concurrency_limit",
    "original_run_id", "version", "done", "unit", "note", "warnings",
)  # fmt: skip
"""The columns that a new run has; see `_row`."""
_INSERT = Prepared(sa.insert(runs), _SET)
_UNSET: dict[str, Any] = {**dict.fromkeys(column.name for column in runs.c), "original_gone": False}


def insert_asked(connection: sa.Connection, new: Sequence[NewRun], now: datetime) -> list[Run]:
    """Those that somebody asks for: LimitReached where the account has as many that wait as it may."""
    return insert(connection, new, now, bounded=True)


def insert(connection: sa.Connection, new: Sequence[NewRun], now: datetime, *, bounded: bool = False) -> list[Run]:
    """Pending runs, numbered in the order given. NotFound if a job or revision is not there."""
    if not new:
        return []
    owners = _jobs_of(connection, new)
    if bounded:
        adding = Counter(owners[run.job_id]["account_id"] for run in new)
        known = {row["account_id"]: row for row in owners.values()}
        for account, count in sorted(adding.items()):
            limits.check(connection, account, "waiting_runs", now, count, limits.read(known[account]))
    said = _said(connection, new, owners)
    rows = [_row(run, owners[run.job_id], said, now) for run in new]
    numbers = _INSERT.numbers(connection, rows)
    created = [
        run_of({**_UNSET, **row, **_of_job(owners[run.job_id]), "number": number})
        for run, row, number in zip(new, rows, numbers, strict=True)
    ]
    variants.write(connection, zip(numbers, new, strict=True))
    events.record_runs(connection, "run.created", created, now)
    return created


def _of_job(job: Row) -> dict[str, Any]:
    return {"job_id": job["id"], "job_name": job["name"], "median": job["median"], "p90": job["p90"]}


def _jobs_of(connection: sa.Connection, new: Sequence[NewRun]) -> dict[str, Row]:
    owners: dict[str, Row] = {row["id"]: row for row in _OWNERS.rows(connection, {run.job_id for run in new})}
    for run in new:
        owner = owners.get(run.job_id)
        if owner is None or run.account_id not in (None, owner["account_id"]):
            raise NotFound(f"there is no job {run.job_id!r}")
    return owners


def _said(connection: sa.Connection, new: Iterable[NewRun], owners: dict[str, Row]) -> _Said:
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
