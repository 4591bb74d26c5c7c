"""What will be asked about many jobs, answered at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from agent.store.jobs import job_queries
from agent.store.permissions import shares
from agent.store.rows import JOB, Row, job_of, select_where_in
from agent.store.tables import jobs
from agent.store.written import read_definition
from shared.errors import NotFound, Unreadable
from shared.ids import is_id
from shared.models import Job, JobInput

_Answers = dict[tuple[Callable[..., Any], tuple[Any, ...]], Any]


def answers(connection: sa.Connection, account_id: str, keys: Sequence[str], user_id: str) -> _Answers:
    """By question: which job goes by each of the keys, what it is defined as, what it was made through, how it stands to
    the user. Keys of two parts (`owner:slug`) are left to be asked one by one."""
    plain = [key for key in keys if ":" not in key]
    rows = _rows(connection, account_id, plain)
    found = {row["id"]: (row, job_of(row)) for row in rows}
    job_queries.add_sentinels(connection, [(row["number"], job) for row, job in found.values()])
    named = [{row[column]: job for row, job in found.values()} for column in ("id", "slug", "name")]
    known: _Answers = {(job_queries.get, (account_id, key)): _first(named, key) for key in plain}
    standings = shares.standings(
        connection, account_id, "job", {job.id: job.owner_id for _, job in found.values()}, user_id
    )
    for row, job in found.values():
        definition = _definition(row)
        known[job_queries.get, (account_id, job.id)] = job
        known[job_queries.definition, (job.id, None)] = definition
        known[job_queries.definition, (job.id, job.revision)] = definition
        known[job_queries.made_through, (job.id,)] = row["made_through"]
        known[shares.standing, (account_id, "job", job.id, user_id)] = standings[job.id]
    return known


def _definition(row: Row) -> JobInput | Unreadable:
    try:
        return read_definition(row["definition"])
    except Unreadable as refusal:
        return refusal


def _rows(connection: sa.Connection, account_id: str, keys: Sequence[str]) -> list[Row]:
    mine = JOB.where(jobs.c.account_id == account_id, jobs.c.deleted_at.is_(None))
    ids = [key for key in keys if is_id(key)]
    parts = ((jobs.c.id, ids), (jobs.c.slug, keys), (jobs.c.name, keys))
    return [row for column, values in parts for row in select_where_in(connection, mine, column, values)]


def _first(named: Sequence[dict[str, Job]], key: str) -> Job | NotFound:
    """An id before a slug before a name, as one by one."""
    return next((by[key] for by in named if key in by), job_queries.no_job(key))
