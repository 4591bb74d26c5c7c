"""Which rows a user may see, as conditions of SQL. None as the user: all of the account, at no cost.

Everything that follows its job is read together with the row of `jobs`, so one condition on that row serves all.
"""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa

from agent.core.permissions import EVERYONE, LEVELS, ResourceKind
from agent.store.tables import jobs, runs, shares
from shared.models.share import AccessLevel

Condition = sa.ColumnElement[bool]


def job_seen_by(user_id: str | None) -> list[Condition]:
    """On a row of `jobs`."""
    if user_id is None:
        return []
    return [sa.or_(jobs.c.owner_id == user_id, _is_shared("job", jobs.c.account_id, jobs.c.id, user_id))]


def run_seen_by(user_id: str | None) -> list[Condition]:
    """On a row of `runs` that is read without its job."""
    if user_id is None:
        return []
    of_job = sa.exists().where(jobs.c.number == runs.c.job_number, *job_seen_by(user_id)).correlate(runs)
    return [of_job]


def jobs_of(account_id: str, user_id: str, *columns: Any, least: AccessLevel = "reader") -> sa.Select[Any]:
    """The jobs that the user may see, or more, deleted ones too: found by index, whose few they may be."""
    shared = sa.select(shares.c.subject_id).where(
        shares.c.account_id == account_id, shares.c.kind == "job", shares.c.principal_id.in_((user_id, EVERYONE))
    )
    if least != LEVELS[0]:
        shared = shared.where(shares.c.level.in_(LEVELS[LEVELS.index(least) :]))
    own = sa.select(jobs.c.number).where(jobs.c.account_id == account_id, jobs.c.owner_id == user_id)
    theirs = sa.select(jobs.c.number).where(jobs.c.id.in_(shared), jobs.c.account_id == account_id)
    return sa.select(*columns).where(jobs.c.number.in_(sa.union(own, theirs)))


FEW = 200
"""Jobs whose newest runs are looked up one by one."""
NAMED = 1000
"""Jobs that are named one by one; whether a run is of one of more is asked of the run."""


def few_jobs(connection: sa.Connection, account_id: str, user_id: str | None) -> list[int] | None:
    """Numbers of the jobs that the user may see, where they are at most `NAMED`; None: more, or all."""
    if user_id is None:
        return None
    # Apart, and each no further than it matters: together, all of both would be gathered first.
    own = sa.select(jobs.c.number).where(jobs.c.account_id == account_id, jobs.c.owner_id == user_id)
    mine = (shares.c.account_id == account_id, shares.c.kind == "job", shares.c.principal_id.in_((user_id, EVERYONE)))
    found = set(connection.scalars(own.limit(NAMED + 1)))
    ids = list(connection.scalars(sa.select(shares.c.subject_id).where(*mine).limit(NAMED + 1)))
    if max(len(found), len(ids)) > NAMED:
        return None
    shared = sa.select(jobs.c.number).where(jobs.c.id.in_(ids), jobs.c.account_id == account_id)
    found |= set(connection.scalars(shared))
    return sorted(found)


def jobs_seen(connection: sa.Connection, account_id: str, user_id: str | None) -> list[Condition]:
    """On a row of `jobs`, by the shorter way."""
    few = few_jobs(connection, account_id, user_id)
    return job_seen_by(user_id) if few is None else [jobs.c.number.in_(few)]


def run_of_jobs(job_numbers: list[int]) -> Condition:
    # Not the bare column: its index would give all runs of these jobs, to be sorted; the way down the numbers is shorter.
    return (runs.c.job_number + 0).in_(job_numbers)


def resource_seen_by(table: sa.Table, kind: ResourceKind, user_id: str | None) -> list[Condition]:
    """On a row of a table with owner and visibility."""
    if user_id is None:
        return []
    shared = _is_shared(kind, table.c.account_id, key_of(table), user_id)
    return [sa.or_(table.c.visibility == "account", table.c.owner_id == user_id, shared)]


def key_of(table: sa.Table) -> sa.ColumnElement[str]:
    """What shares know a row of the table by: secrets have no id, but a name."""
    return cast("sa.ColumnElement[str]", table.c.get("id", table.c.get("name")))


def _is_shared(
    kind: ResourceKind, account_id: sa.ColumnElement[str], subject_id: sa.ColumnElement[str], user_id: str
) -> Condition:
    return sa.exists().where(
        shares.c.account_id == account_id,
        shares.c.kind == kind,
        shares.c.subject_id == subject_id,
        shares.c.principal_id.in_((user_id, EVERYONE)),
    )
