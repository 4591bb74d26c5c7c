"""Missed fires that are still to run: seen, counted, and which is next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import NextTurn
from agent.store import events, facts
from agent.store.permissions.visibility import jobs_seen
from agent.store.rows import Row
from agent.store.runs.claims import OLDER_ACTIVE
from agent.store.tables import STILL_HELD, WAITING, fires, jobs, runs
from shared.models import FireReason, HeldJob
from shared.states import RunState

NAMED = 1000
"""Most jobs that an event names."""
_HELD_UP_TO = "catch_up_held_up_to"
FOR_OPERATOR = fires.c.reason == FireReason.AWAITING_OPERATOR
FOR_TURN = fires.c.reason == FireReason.AWAITING_TURN
STOPPED = sa.or_(jobs.c.paused_at.is_not(None), jobs.c.enabled.is_(False))
"""Nothing of the job is started but by hand."""

_catching_up = sa.exists().where(
    runs.c.job_number == jobs.c.number, runs.c.finished_at.is_(None), runs.c.cause == "catch_up"
)
_firsts = (
    sa.select(fires.c.job_number, sa.func.min(fires.c.fire_at, type_=fires.c.fire_at.type).label("fire_at"))
    .where(STILL_HELD, FOR_TURN)
    .group_by(fires.c.job_number)
    .subquery("firsts")
)
_NEXT_TURNS = (
    sa.select(fires.c.id.label("fire_id"), jobs.c.id.label("job_id"), _firsts.c.fire_at)
    .select_from(
        _firsts.join(jobs, jobs.c.number == _firsts.c.job_number).join(
            fires, sa.and_(fires.c.job_number == _firsts.c.job_number, fires.c.fire_at == _firsts.c.fire_at)
        )
    )
    .where(jobs.c.deleted_at.is_(None), ~STOPPED, ~_catching_up)
    .order_by(_firsts.c.fire_at, _firsts.c.job_number)
)

# Those that wait for an older run of their job keep no worker from anybody, nor do those that are tried again later.
_UNCLAIMED = sa.select(sa.func.count()).where(
    WAITING, runs.c.cause == "catch_up", runs.c.state == RunState.PENDING, ~OLDER_ACTIVE
)


def held_up_to(connection: sa.Connection) -> datetime | None:
    text = facts.get(connection, _HELD_UP_TO)
    return datetime.fromisoformat(text) if text else None


def hold_up_to(connection: sa.Connection, moment: datetime) -> None:
    facts.put(connection, _HELD_UP_TO, moment.isoformat())


def by_job(connection: sa.Connection, account_id: str, job_id: str | None, seen_by: str | None = None) -> list[HeldJob]:
    oldest = sa.func.min(fires.c.fire_at, type_=fires.c.fire_at.type).label("oldest")
    newest = sa.func.max(fires.c.fire_at, type_=fires.c.fire_at.type).label("newest")
    names = (jobs.c.id.label("job_id"), jobs.c.name.label("job_name"), jobs.c.slug, jobs.c.paused_at, jobs.c.enabled)
    query = (
        sa.select(*names, oldest, newest, _sum(FOR_OPERATOR, "waiting"), _sum(FOR_TURN, "released"))
        .select_from(fires.join(jobs))
        .where(STILL_HELD, jobs.c.account_id == account_id, *jobs_seen(connection, account_id, seen_by))
        .group_by(jobs.c.number)
        .order_by(oldest, jobs.c.number)
    )
    if job_id is not None:
        query = query.where(jobs.c.id == job_id)
    return [_held_job(row) for row in connection.execute(query).mappings()]


def count(connection: sa.Connection, account_id: str) -> dict[str, int]:
    query = sa.select(fires.c.reason, sa.func.count()).where(STILL_HELD, fires.c.account_id == account_id)
    found = {row[0]: row[1] for row in connection.execute(query.group_by(fires.c.reason))}
    return {reason: found.get(reason, 0) for reason in (FireReason.AWAITING_OPERATOR, FireReason.AWAITING_TURN)}


def next_turns(connection: sa.Connection, limit: int) -> list[NextTurn]:
    """A caught-up run that nobody claims yet takes a place: what is on time must not wait behind many of them."""
    unclaimed = connection.scalar(_UNCLAIMED) or 0
    if unclaimed >= limit:
        return []
    rows = connection.execute(_NEXT_TURNS.limit(limit - unclaimed)).mappings()
    return [NextTurn(row["fire_id"], row["job_id"], row["fire_at"]) for row in rows]


def jobs_in_turn(connection: sa.Connection, job_numbers: Iterable[int]) -> set[int]:
    """Those of the jobs with a fire that waits for its turn."""
    numbers = list(job_numbers)
    if not numbers:
        return set()
    query = sa.select(fires.c.job_number).distinct().where(STILL_HELD, FOR_TURN)
    return set(connection.scalars(query.where(fires.c.job_number.in_(numbers))))


def tell(
    connection: sa.Connection, account_id: str, act: str, by: str | None, count: int, of: Sequence[str], now: datetime
) -> None:
    """Who did what with how many fires, of which jobs, and what waits for an operator now."""
    named = {"jobIds": list(of) if len(of) <= NAMED else None}
    data = {"act": act, "by": by, "count": count, **_waiting(connection, account_id), **named}
    events.record(connection, "catch_up.changed", [(account_id, account_id, data)], now)


def _waiting(connection: sa.Connection, account_id: str) -> dict[str, int]:
    counts = (sa.func.count().label("waiting"), sa.func.count(fires.c.job_number.distinct()).label("jobs"))
    query = sa.select(*counts).where(STILL_HELD, FOR_OPERATOR, fires.c.account_id == account_id)
    return dict(connection.execute(query).mappings().one())


def _sum(which: sa.ColumnElement[bool], name: str) -> sa.Label[Any]:
    return sa.func.sum(sa.case((which, 1), else_=0)).label(name)


def _held_job(row: Row) -> HeldJob:
    stopped = "paused" if row["paused_at"] is not None else None if row["enabled"] else "disabled"
    return HeldJob(**{name: row[name] for name in HeldJob.model_fields if name != "stopped"}, stopped=stopped)
