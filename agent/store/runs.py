"""Runs: creating them, and what their attempts say while they run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import NewRun
from agent.store import events, moves
from agent.store.rows import select_where_in
from agent.store.tables import job_revisions, jobs, runs
from shared.errors import NotFound
from shared.models import Run
from shared.states import RunState

_Definitions = dict[tuple[int, int], dict[str, Any]]


def insert(connection: sa.Connection, new: Sequence[NewRun], now: datetime) -> list[Run]:
    """Pending runs, numbered in the order given. NotFound if a job or revision is not there."""
    if not new:
        return []
    owners = _jobs_of(connection, new)
    definitions = _definitions(connection, new, owners)
    connection.execute(sa.insert(runs), [_row(run, owners[run.job_id], definitions, now) for run in new])
    created = moves.read(connection, (run.id for run in new), runs.c.id)
    events.record_runs(connection, "run.created", created, now)
    return created


def _jobs_of(connection: sa.Connection, new: Sequence[NewRun]) -> dict[str, sa.RowMapping]:
    columns = [jobs.c[name] for name in ("number", "id", "account_id", "owner_id", "revision", "definition")]
    query = sa.select(*columns).where(jobs.c.deleted_at.is_(None))
    found = select_where_in(connection, query, jobs.c.id, {run.job_id for run in new})
    owners = {row["id"]: row for row in found}
    for run in new:
        if run.job_id not in owners:
            raise NotFound(f"there is no job {run.job_id}")
    return owners


def _definitions(connection: sa.Connection, new: Iterable[NewRun], owners: dict[str, sa.RowMapping]) -> _Definitions:
    """Definitions by job number and revision, of the current revisions and of all others that are named."""
    found: _Definitions = {(job["number"], job["revision"]): job["definition"] for job in owners.values()}
    named = {(owners[run.job_id]["number"], run.revision) for run in new if run.revision is not None}
    for number, revision in sorted(named - found.keys()):
        query = sa.select(job_revisions.c.definition)
        query = query.where(job_revisions.c.job_number == number, job_revisions.c.revision == revision)
        definition = connection.scalar(query)
        if definition is None:
            raise NotFound(f"the job has no revision {revision}")
        found[number, revision] = definition
    return found


def _row(run: NewRun, job: sa.RowMapping, definitions: _Definitions, now: datetime) -> dict[str, Any]:
    revision = job["revision"] if run.revision is None else run.revision
    definition = definitions[job["number"], revision]
    policies = definition["policies"]
    return {
        "id": run.id,
        "account_id": job["account_id"],
        "job_number": job["number"],
        "owner_id": job["owner_id"],
        "type": definition["type"],
        "revision": revision,
        "state": RunState.PENDING,
        "cause": run.cause,
        "fire_at": run.fire_at,
        "created_at": now,
        "available_at": run.available_at,
        "chained": run.chained,
        "attempt": 0,
        "max_attempts": policies["retry"]["attempts"],
        "priority": policies["priority"],
        "concurrency_key": policies["concurrency"]["key"],
        "concurrency_limit": policies["concurrency"]["limit"],
        "original_run_id": run.original_run_id,
        "version": 1,
        "done": 0,
        "unit": "",
        "note": "",
        "warnings": [],
    }
