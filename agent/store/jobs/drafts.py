"""Drafts: made, changed, gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import NewDraft
from agent.store import events
from agent.store.rows import Row
from agent.store.tables import drafts, jobs
from shared.errors import NotFound, StaleVersion, TooMany
from shared.models import Draft, DraftInput

MOST = 500
"""Drafts of one user in one account."""

_DRAFT = sa.select(drafts, jobs.c.id.label("editing_id")).outerjoin(jobs, jobs.c.number == drafts.c.job_number)
_COLUMNS = ("id", "editing_id", "based_on", "owner_id", "account_id", "version", "created_at", "updated_at")


def open_draft(connection: sa.Connection, draft: NewDraft, now: datetime) -> tuple[Draft, bool]:
    """The draft that the user has of that job, else this one; and whether it was made."""
    job_number = _job_number(connection, draft.editing_id)
    if job_number is not None:
        mine = sa.and_(drafts.c.job_number == job_number, drafts.c.owner_id == draft.owner_id)
        if there := _select(connection, mine):
            return there[0], False
    _check_limit(connection, draft)
    row = {
        "id": draft.id,
        "account_id": draft.account_id,
        "owner_id": draft.owner_id,
        "job_number": job_number,
        "based_on": draft.based_on,
        "definition": draft.definition.model_dump(mode="json"),
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    connection.execute(sa.insert(drafts).values(row))
    return _tell(connection, draft.id, now), True


def get(connection: sa.Connection, account_id: str, owner_id: str, draft_id: str) -> Draft:
    mine = sa.and_(drafts.c.id == draft_id, drafts.c.account_id == account_id, drafts.c.owner_id == owner_id)
    return _one(connection, mine, f"there is no draft {draft_id!r}")


def of_job(connection: sa.Connection, owner_id: str, job_id: str) -> Draft:
    return _one(connection, sa.and_(jobs.c.id == job_id, drafts.c.owner_id == owner_id), f"no draft of job {job_id}")


def list_mine(connection: sa.Connection, account_id: str, owner_id: str) -> list[Draft]:
    """The one that was changed last comes first."""
    return _select(connection, sa.and_(drafts.c.account_id == account_id, drafts.c.owner_id == owner_id))


def put(
    connection: sa.Connection,
    draft_id: str,
    definition: DraftInput,
    expected_version: int | None,
    based_on: int | None,
    now: datetime,
) -> Draft:
    row = lock(connection, draft_id, expected_version)
    values = {
        "definition": definition.model_dump(mode="json"),
        "based_on": row["based_on"] if based_on is None else based_on,
        "version": row["version"] + 1,
        "updated_at": now,
    }
    connection.execute(sa.update(drafts).where(drafts.c.id == draft_id).values(values))
    return _tell(connection, draft_id, now)


def delete(connection: sa.Connection, draft_id: str, expected_version: int | None, now: datetime) -> None:
    lock(connection, draft_id, expected_version)
    draft = _one(connection, drafts.c.id == draft_id, "")
    connection.execute(sa.delete(drafts).where(drafts.c.id == draft_id))
    _record(connection, draft, now, deleted=True)


def lock(connection: sa.Connection, draft_id: str, expected_version: int | None) -> sa.RowMapping:
    query = sa.select(drafts).where(drafts.c.id == draft_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no draft {draft_id!r}")
    if expected_version is not None and row["version"] != expected_version:
        raise StaleVersion(f"the draft has changed meanwhile: version {row['version']}, not {expected_version}")
    return row


def _check_limit(connection: sa.Connection, draft: NewDraft) -> None:
    mine = (drafts.c.account_id == draft.account_id, drafts.c.owner_id == draft.owner_id)
    if (connection.scalar(sa.select(sa.func.count()).where(*mine)) or 0) >= MOST:
        raise TooMany(f"you have {MOST} drafts; commit or discard one first")


def _job_number(connection: sa.Connection, job_id: str | None) -> int | None:
    if job_id is None:
        return None
    number = connection.scalar(sa.select(jobs.c.number).where(jobs.c.id == job_id, jobs.c.deleted_at.is_(None)))
    if number is None:
        raise NotFound(f"there is no job {job_id}")
    return int(number)


def _one(connection: sa.Connection, condition: sa.ColumnElement[bool], otherwise: str) -> Draft:
    found = _select(connection, condition)
    if not found:
        raise NotFound(otherwise)
    return found[0]


def _select(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[Draft]:
    query = _DRAFT.where(condition).order_by(drafts.c.updated_at.desc(), drafts.c.number.desc())
    rows: Sequence[Row] = connection.execute(query).mappings().all()
    return [Draft.model_validate({**row["definition"], **{name: row[name] for name in _COLUMNS}}) for row in rows]


def _tell(connection: sa.Connection, draft_id: str, now: datetime) -> Draft:
    draft = _one(connection, drafts.c.id == draft_id, "")
    _record(connection, draft, now)
    return draft


def _record(connection: sa.Connection, draft: Draft, now: datetime, **more: Any) -> None:
    data = {"id": draft.id, "editingId": draft.editing_id, "ownerId": draft.owner_id, **more}
    events.record(connection, "draft.changed", [(draft.account_id, draft.id, data)], now)
