"""Jobs: reading."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import JobStatistics
from agent.store.jobs import job_order
from agent.store.lists import filtering, fulltext
from agent.store.permissions.visibility import jobs_seen
from agent.store.rows import JOB, job_of, select_where_in
from agent.store.sentinels import sentinels
from agent.store.tables import job_revisions, job_statistics, jobs, members, runs, users
from agent.store.written import read_definition
from shared.errors import NotFound, Unreadable
from shared.filters import Filter
from shared.filters.words import words_of
from shared.models import Job, JobInput

RECENT = 20
"""How many of a job's last runs a list shows."""

_LIVING = jobs.c.deleted_at.is_(None)


def get(connection: sa.Connection, account_id: str, key: str) -> Job:
    mine = JOB.where(jobs.c.account_id == account_id, _LIVING)
    # One after the other: an OR of two indexes is a walk through all of the account's jobs.
    for condition in _keys(account_id, key):
        row = connection.execute(mine.where(condition)).mappings().one_or_none()
        if row is not None:
            return add_sentinels(connection, [(row["number"], job_of(row))])[0]
    raise no_job(key)


def no_job(key: str) -> NotFound:
    return NotFound(f"there is no job {key!r}")


def defined(connection: sa.Connection, account_id: str) -> list[Job]:
    query = JOB.where(jobs.c.account_id == account_id, jobs.c.defined_in.is_not(None), _LIVING)
    return [job_of(row) for row in connection.execute(query).mappings()]


def list_page(
    connection: sa.Connection,
    account_id: str,
    *,
    q: str,
    sort: str,
    limit: int,
    start: int,
    where: Filter | None,
    now: datetime,
    seen_by: str | None = None,
) -> tuple[list[Job], int]:
    conditions = [*_plain_words(q), *jobs_seen(connection, account_id, seen_by)]
    if where is not None:
        conditions.append(filtering.compile_filter(where, now))
    counted = sa.select(sa.func.count()).where(jobs.c.account_id == account_id, _LIVING, *conditions)
    total = connection.scalar(counted) or 0
    numbers = job_order.page(connection, account_id, conditions, sort, limit, start)
    # The rows of the page alone: to step over the others in the order of an index costs next to nothing.
    rows = {row["number"]: row for row in connection.execute(JOB.where(jobs.c.number.in_(numbers))).mappings()}
    recent = _recent(connection, numbers)
    found = [(number, job_of(rows[number], recent.get(number, ()))) for number in numbers]
    return add_sentinels(connection, found), total


def definition(connection: sa.Connection, job_id: str, revision: int | None) -> JobInput:
    """Of a deleted job too: its runs still name it. Unreadable, if it cannot be read any more."""
    query = sa.select(job_revisions.c.definition).join(jobs).where(jobs.c.id == job_id)
    query = query.where(job_revisions.c.revision == (jobs.c.revision if revision is None else revision))
    found = connection.scalar(query)
    if found is None:
        raise NotFound(f"there is no job {job_id}" + ("" if revision is None else f" with a revision {revision}"))
    return read_definition(found)


def made_through(connection: sa.Connection, job_id: str) -> str:
    """Which contract it came in by; `api` for none of them."""
    found: str | None = connection.scalar(sa.select(jobs.c.made_through).where(jobs.c.id == job_id))
    if found is None:
        raise NotFound(f"there is no job {job_id}")
    return found


def add_sentinels(connection: sa.Connection, found: Sequence[tuple[int, Job]]) -> list[Job]:
    """By number; the jobs, with the kinds of sentinels that are open."""
    open_kinds = sentinels.open_kinds(connection, [number for number, _ in found])
    for number, job in found:
        job.sentinels = open_kinds.get(number, [])
    return [job for _, job in found]


def revisions(connection: sa.Connection, job_id: str, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Newest first, in the shape of `GET /jobs/{id}/revisions`."""
    query = _REVISION.where(jobs.c.id == job_id).order_by(job_revisions.c.revision.desc()).limit(limit)
    if before is not None:
        query = query.where(job_revisions.c.revision < before)
    return [_revision_of(row) for row in connection.execute(query).mappings()]


def revision(connection: sa.Connection, job_id: str, number: int) -> dict[str, Any]:
    query = _REVISION.where(jobs.c.id == job_id, job_revisions.c.revision == number)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no revision {number} of the job {job_id}")
    return _revision_of(row)


_REVISION = (
    sa.select(job_revisions, users.c.handle)
    .join(jobs, jobs.c.number == job_revisions.c.job_number)
    .outerjoin(users, users.c.id == job_revisions.c.author_id)
)


def _revision_of(row: sa.RowMapping) -> dict[str, Any]:
    """Unreadable, with its number, if nobody can say what it was."""
    try:
        read_definition(row["definition"])
    except Unreadable as refusal:
        raise Unreadable(f"revision {row['revision']}: {refusal.message}") from None
    return {
        "revision": row["revision"],
        "definition": row["definition"],
        "authorId": row["author_id"],
        "author": row["handle"],
        "restoredFrom": row["restored_from"],
        "createdAt": row["created_at"],
    }


def statistics(connection: sa.Connection, job_ids: Sequence[str]) -> dict[str, JobStatistics]:
    query = sa.select(jobs.c.id, job_statistics).select_from(job_statistics.join(jobs))
    found = dict.fromkeys(job_ids, JobStatistics(None, None, 0))
    for row in select_where_in(connection, query, jobs.c.id, job_ids):
        found[row["id"]] = JobStatistics(row["median"], row["p90"], len(row["durations"]))
    return found


def _keys(account_id: str, key: str) -> list[sa.ColumnElement[bool]]:
    """What the key may mean, best first: an id, a slug, `handle:slug`, a name."""
    handle, colon, slug = key.rpartition(":")
    named = jobs.c.name == key
    if not colon:
        return [jobs.c.id == key, jobs.c.slug == key, named]
    owners = sa.select(users.c.id).join(members, members.c.user_id == users.c.id)
    owners = owners.where(members.c.account_id == account_id, users.c.handle == handle)
    return [sa.and_(jobs.c.slug == slug, jobs.c.owner_id.in_(owners)), named]


def _plain_words(q: str) -> list[sa.ColumnElement[bool]]:
    if not q.strip():
        return []
    words = words_of(q)
    return [fulltext.job_says(jobs.c.number, [word], prefix=True) for word in words] or [sa.false()]


def _recent(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, list[str]]:
    """States of each job's last runs, newest last: 20 steps down the index for each, however many runs it has."""
    if not numbers:
        return {}
    one, other = runs.alias("one"), runs.alias("other")
    newest = sa.select(other.c.number).where(other.c.job_number == jobs.c.number).correlate(jobs)
    newest = newest.order_by(other.c.number.desc()).limit(RECENT)
    query = (
        sa.select(jobs.c.number, one.c.state)
        .select_from(jobs)
        .join(one, sa.and_(one.c.job_number == jobs.c.number, one.c.number.in_(newest)))
        .where(jobs.c.number.in_(numbers))
        .order_by(one.c.number)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for number, state in connection.execute(query):
        found[number].append(state)
    return found
