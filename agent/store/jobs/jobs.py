"""Jobs: publish, replace, pause, delete."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import ActiveLimit, DraftMark, JobChange, NewJob, Publication, ScheduleMarks
from agent.store import events
from agent.store.fires import deciding
from agent.store.identity import limits
from agent.store.jobs import drafts, uses
from agent.store.lists import fulltext
from agent.store.rows import JOB, job_of
from agent.store.runs import cancels
from agent.store.tables import ACTIVE, WAITING, job_revisions, job_tags, jobs, runs
from shared.errors import Conflict, LimitReached, NotFound, StaleVersion
from shared.models import Job, JobInput

_LIVING = jobs.c.deleted_at.is_(None)


def insert(connection: sa.Connection, job: NewJob, now: datetime) -> Job:
    if _is_active(job.definition, job.marks, now):
        limits.check(connection, job.account_id, "active_jobs", now)
    if job.limit is not None and _is_open(job.marks.window_end, now):
        _check_limit(connection, job.account_id, job.limit, now)
    _check_free(connection, job.account_id, "name", job.definition.name)
    slug = _free_slug(connection, job)
    definition = job.definition.model_copy(update={"slug": slug})
    row = {
        "id": job.id,
        "account_id": job.account_id,
        "owner_id": job.owner_id,
        "made_through": job.made_through,
        "slug": slug,
        "revision": 1,
        "version": 1,
        "high_water": job.marks.high_water,
        "created_at": now,
        **_definition_columns(definition, job.marks, now),
    }
    number = connection.execute(sa.insert(jobs).values(row)).inserted_primary_key.number  # type: ignore[union-attr]
    _write_revision(connection, number, 1, definition, job.owner_id, now)
    uses.write(connection, job.account_id, number, 1, job.needs)
    _end_draft(connection, job.draft, now)
    return _tell(connection, number, "job.created", now)


def replace(connection: sa.Connection, change: JobChange, expected_version: int | None, now: datetime) -> Job:
    row = _lock(connection, change.job_id, expected_version)
    slug = change.definition.slug or row["slug"]
    definition = change.definition.model_copy(update={"slug": slug})
    if definition.name != row["name"]:
        _check_free(connection, row["account_id"], "name", definition.name)
    if slug != row["slug"]:
        _check_free(connection, row["account_id"], "slug", slug)
    _check_becoming_active(connection, row, change, now)
    revision = row["revision"] + 1
    values = {
        "slug": slug,
        "revision": revision,
        "version": row["version"] + 1,
        "high_water": max(row["high_water"], change.marks.high_water),
        **_definition_columns(definition, change.marks, now),
    }
    connection.execute(sa.update(jobs).where(jobs.c.number == row["number"]).values(values))
    _write_revision(connection, row["number"], revision, definition, change.author_id, now)
    uses.write(connection, row["account_id"], row["number"], revision, change.needs)
    if change.restored_from is not None:
        _copy_definition(connection, row["number"], change.restored_from, revision)
    _end_draft(connection, change.draft, now)
    return _tell(connection, row["number"], "job.changed", now)


def publish(connection: sa.Connection, given: Publication, now: datetime) -> Job:
    """One of several, in the transaction of all."""
    if isinstance(given.what, Job):
        job = given.what
    elif isinstance(given.what, NewJob):
        job = insert(connection, given.what, now)
    else:
        job = replace(connection, given.what, given.expected_version, now)
    is_elsewhere = given.defined_in is not None and job.defined_in != given.defined_in
    return set_defined_in(connection, job.id, given.defined_in, now) if is_elsewhere else job


def set_paused(
    connection: sa.Connection,
    job_id: str,
    paused_at: datetime | None,
    next_fire_at: datetime | None,
    now: datetime,
    expected_version: int | None,
) -> Job:
    row = _lock(connection, job_id, expected_version)
    values = {
        "paused_at": paused_at,
        "next_fire_at": next_fire_at,
        "version": row["version"] + 1,
        "updated_at": now,
    }
    connection.execute(sa.update(jobs).where(jobs.c.number == row["number"]).values(values))
    return _tell(connection, row["number"], "job.changed", now)


def set_defined_in(connection: sa.Connection, job_id: str, file: str | None, now: datetime) -> Job:
    row = _lock(connection, job_id, None)
    values = {"defined_in": file, "version": row["version"] + 1, "updated_at": now}
    connection.execute(sa.update(jobs).where(jobs.c.number == row["number"]).values(values))
    return _tell(connection, row["number"], "job.changed", now)


def set_owner(connection: sa.Connection, job_id: str, owner_id: str, now: datetime) -> Job:
    """Neither what it is nor its state changes, and so neither its revision nor its version. Who sees it changes: that
    is told first."""
    row = _lock(connection, job_id, None)
    connection.execute(sa.update(jobs).where(jobs.c.number == row["number"]).values(owner_id=owner_id))
    told = {"kind": "job", "id": job_id, "name": row["name"], "ownerId": owner_id}
    events.record(connection, "share.changed", [(row["account_id"], job_id, told)], now)
    return _tell(connection, row["number"], "job.changed", now)


def delete(connection: sa.Connection, job_id: str, expected_version: int | None, now: datetime) -> Job:
    row = _lock(connection, job_id, expected_version)
    values = {"deleted_at": now, "updated_at": now, "version": row["version"] + 1}
    connection.execute(sa.update(jobs).where(jobs.c.number == row["number"]).values(values))
    of_job = sa.and_(ACTIVE, WAITING, runs.c.job_number == row["number"])
    cancels.cancel_waiting(connection, of_job, "job_deleted", "cancelled because its job was deleted", now)
    deciding.give_up_deleted(connection, row["account_id"], row["number"], now)
    return _tell(connection, row["number"], "job.deleted", now)


def count_active(connection: sa.Connection, account_id: str, limit: ActiveLimit, now: datetime) -> int:
    """Not deleted, window not over."""
    query = sa.select(sa.func.count()).where(
        jobs.c.account_id == account_id,
        jobs.c.made_through == limit.through,
        _LIVING,
        sa.or_(jobs.c.window_end.is_(None), jobs.c.window_end >= now),
    )
    return connection.scalar(query) or 0


def _check_becoming_active(connection: sa.Connection, row: sa.RowMapping, change: JobChange, now: datetime) -> None:
    """An edit takes a place where the job had none."""
    was_open = _is_open(row["window_end"], now)
    if _is_active(change.definition, change.marks, now) and not (row["enabled"] and was_open):
        limits.check(connection, row["account_id"], "active_jobs", now)
    if change.limit is not None and _is_open(change.marks.window_end, now) and not was_open:
        _check_limit(connection, row["account_id"], change.limit, now)


def _is_active(definition: JobInput, marks: ScheduleMarks, now: datetime) -> bool:
    return definition.enabled and _is_open(marks.window_end, now)


def _is_open(window_end: datetime | None, now: datetime) -> bool:
    return window_end is None or window_end >= now


def _check_limit(connection: sa.Connection, account_id: str, limit: ActiveLimit, now: datetime) -> None:
    count = count_active(connection, account_id, limit, now)
    if count >= limit.most:
        message = f"the account has {count} active jobs, {limit.most} are allowed; delete one to free its place"
        raise LimitReached(message, "active_jobs", limit.most)


def _check_free(connection: sa.Connection, account_id: str, column: str, value: str) -> None:
    if _is_taken(connection, account_id, column, value):
        raise Conflict(f"there is already a job with the {column} {value!r}", field=column)


def _is_taken(connection: sa.Connection, account_id: str, column: str, value: str) -> bool:
    query = sa.select(jobs.c.number).where(jobs.c.account_id == account_id, jobs.c[column] == value, _LIVING)
    return connection.scalar(query) is not None


def _free_slug(connection: sa.Connection, job: NewJob) -> str:
    """The given slug; one that nobody chose gets -2, -3 … where it is taken."""
    if job.definition.slug is not None:
        _check_free(connection, job.account_id, "slug", job.slug)
        return job.slug
    if not _is_taken(connection, job.account_id, "slug", job.slug):
        return job.slug
    return _numbered_slug(connection, job)


def _numbered_slug(connection: sa.Connection, job: NewJob) -> str:
    """Found by doubling, then by halves: names without a Latin letter all come to one slug, and may be thousands."""

    def numbered(count: int) -> str:
        return f"{job.slug[:74]}-{count}"

    taken, free = 1, 2
    while _is_taken(connection, job.account_id, "slug", numbered(free)):
        taken, free = free, free * 2
    while free - taken > 1:
        middle = (taken + free) // 2
        if _is_taken(connection, job.account_id, "slug", numbered(middle)):
            taken = middle
        else:
            free = middle
    return numbered(free)


def _definition_columns(definition: JobInput, marks: ScheduleMarks, now: datetime) -> dict[str, Any]:
    return {
        "name": definition.name,
        "name_key": definition.name.lower(),
        "type": definition.type,
        "interval_type": definition.interval_type,
        "interval": definition.interval,
        "enabled": definition.enabled,
        "definition": definition.model_dump(mode="json"),
        "schedule_text": marks.schedule_text,
        "next_fire_at": marks.next_fire_at,
        "window_end": marks.window_end,
        "zone_data_version": marks.zone_data_version,
        "updated_at": now,
    }


def _write_revision(
    connection: sa.Connection, number: int, revision: int, definition: JobInput, author_id: str, now: datetime
) -> None:
    row = {
        "job_number": number,
        "revision": revision,
        "definition": definition.model_dump(mode="json"),
        "author_id": author_id,
        "created_at": now,
    }
    connection.execute(sa.insert(job_revisions).values(row))
    connection.execute(sa.delete(job_tags).where(job_tags.c.job_number == number))
    if tags := sorted(set(definition.tags)):
        connection.execute(sa.insert(job_tags), [{"job_number": number, "tag": tag} for tag in tags])
    fulltext.index_job(connection, number, definition.name, definition.description)


def _copy_definition(connection: sa.Connection, number: int, old: int, new: int) -> None:
    """The text as it was written: what a definition has gained since is read from its absence, then as now."""
    of_job = job_revisions.c.job_number == number
    text = sa.select(job_revisions.c.definition).where(of_job, job_revisions.c.revision == old).scalar_subquery()
    marked = sa.update(job_revisions).where(of_job, job_revisions.c.revision == new)
    connection.execute(marked.values(definition=text, restored_from=old))
    connection.execute(sa.update(jobs).where(jobs.c.number == number).values(definition=text))


def _end_draft(connection: sa.Connection, draft: DraftMark | None, now: datetime) -> None:
    """What was published is no draft any more. StaleVersion if it is not what was published."""
    if draft is not None:
        drafts.delete(connection, draft.id, draft.version, now)


def _lock(connection: sa.Connection, job_id: str, expected_version: int | None) -> sa.RowMapping:
    # FOR UPDATE: PostgreSQL holds the row until the commit; SQLite, with one writer, needs and knows no such words.
    query = sa.select(jobs).where(jobs.c.id == job_id, _LIVING).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no job {job_id}")
    if expected_version is not None and row["version"] != expected_version:
        raise StaleVersion(f"the job has changed meanwhile: it is at version {row['version']}, not {expected_version}")
    return row


def _tell(connection: sa.Connection, number: int, kind: Any, now: datetime) -> Job:
    job = job_of(connection.execute(JOB.where(jobs.c.number == number)).mappings().one())
    events.record_jobs(connection, kind, [job], now)
    return job
