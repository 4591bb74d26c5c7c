"""Which rows a user may see, as conditions of SQL. None as the user: all of the account, at no cost.

Who sees which jobs stands in `job_readers`: their owners, and whom they are shared with, kept by triggers in the
transaction of whatever changes it. So the question is one look into a small table, for a row of `runs` too.
"""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa

from agent.core.permissions.rules import EVERYONE, LEVELS, ResourceKind
from agent.store.tables import job_readers, jobs, runs, shares
from shared.models.share import AccessLevel

Condition = sa.ColumnElement[bool]
User = str | sa.ColumnElement[str] | None
"""An id, or the parameter of a statement that is made once for all users."""

ACCOUNT, SEEN_BY = (sa.bindparam(name, type_=sa.Text) for name in ("account", "seen_by"))
"""Of statements that are made once for all: whose runs, and who asks."""

_everyone: sa.ColumnElement[str] = sa.literal_column(f"'{EVERYONE}'")


def job_seen_by(user_id: User) -> list[Condition]:
    """On a row of `jobs`."""
    return [] if user_id is None else [reads(user_id, jobs.c.account_id, jobs.c.number)]


def run_seen_by(user_id: User) -> list[Condition]:
    """On a row of `runs`, which need not be read for it where an index has its job."""
    return [] if user_id is None else [reads(user_id, runs.c.account_id, runs.c.job_number)]


def reads(
    user_id: str | sa.ColumnElement[str], account_id: sa.ColumnElement[str], job_number: sa.ColumnElement[int]
) -> Condition:
    """On a row that names a job."""
    mine = (job_readers.c.account_id == account_id, _is_principal(job_readers, user_id))
    return sa.exists().where(*mine, job_readers.c.job_number == job_number)


def numbers_seen(account_id: Any, user_id: User) -> sa.Select[int]:
    """Of all jobs that the user may see, deleted ones too; one may come twice."""
    mine = (job_readers.c.account_id == account_id, _is_principal(job_readers, user_id))
    return sa.select(job_readers.c.job_number).where(*mine)


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


NAMED = 1000
"""Jobs that are named one by one; whether a run is of one of more is asked of the run."""


def few_jobs(connection: sa.Connection, account_id: str, user_id: str | None) -> list[int] | None:
    """Numbers of the jobs that the user may see, where they are at most `NAMED`; None: more, or all."""
    if user_id is None:
        return None
    found = set(connection.scalars(numbers_seen(account_id, user_id).limit(NAMED + 1)))
    return None if len(found) > NAMED else sorted(found)


def jobs_seen(connection: sa.Connection, account_id: str, user_id: str | None) -> list[Condition]:
    """On a row of `jobs`, by the shorter way."""
    few = few_jobs(connection, account_id, user_id)
    return job_seen_by(user_id) if few is None else [jobs.c.number.in_(few)]


def resource_seen_by(table: sa.Table, kind: ResourceKind, user_id: User) -> list[Condition]:
    """On a row of a table with owner and visibility."""
    if user_id is None:
        return []
    shared = sa.exists().where(
        shares.c.account_id == table.c.account_id,
        shares.c.kind == kind,
        shares.c.subject_id == key_of(table),
        _is_principal(shares, user_id),
    )
    return [sa.or_(table.c.visibility == "account", table.c.owner_id == user_id, shared)]


def key_of(table: sa.Table) -> sa.ColumnElement[str]:
    """What shares know a row of the table by: secrets have no id, but a name."""
    return cast("sa.ColumnElement[str]", table.c.get("id", table.c.get("name")))


def _is_principal(table: sa.Table, user_id: User) -> Condition:
    return table.c.principal_id.in_([sa.literal(user_id) if isinstance(user_id, str) else user_id, _everyone])
