"""Jobs with no more than a list of all of them needs."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa

from agent.core.records import JobHead
from agent.store.permissions.visibility import job_seen_by
from agent.store.rows import select_where_in
from agent.store.tables import job_tags, jobs, users

_COLUMNS = (jobs.c.number, jobs.c.name_key, jobs.c.id, jobs.c.name, jobs.c.type, jobs.c.enabled, jobs.c.slug)
_HEAD = sa.select(*_COLUMNS, jobs.c.owner_id, users.c.handle).outerjoin(users, users.c.id == jobs.c.owner_id)


def page(
    connection: sa.Connection, account_id: str, behind: JobHead | None, limit: int, seen_by: str | None
) -> list[JobHead]:
    """By name; those behind the given one."""
    conditions = [jobs.c.account_id == account_id, jobs.c.deleted_at.is_(None), *job_seen_by(seen_by)]
    if behind is not None:
        place = sa.tuple_(jobs.c.name_key, jobs.c.number)
        conditions.append(place > sa.tuple_(sa.literal(behind.name.lower()), sa.literal(behind.number)))
    query = _HEAD.where(*conditions).order_by(jobs.c.name_key, jobs.c.number).limit(limit)
    rows = connection.execute(query).mappings().all()
    tags = _tags(connection, [row["number"] for row in rows])
    return [
        JobHead(
            number=row["number"],
            id=row["id"],
            name=row["name"],
            type=row["type"],
            enabled=row["enabled"],
            owner_id=row["owner_id"],
            owner=row["handle"] or row["owner_id"],
            slug=row["slug"],
            tags=tags[row["number"]],
        )
        for row in rows
    ]


def _tags(connection: sa.Connection, numbers: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    query = sa.select(job_tags).order_by(job_tags.c.job_number, job_tags.c.tag)
    for row in select_where_in(connection, query, job_tags.c.job_number, numbers):
        found[row["job_number"]].append(row["tag"])
    return found
