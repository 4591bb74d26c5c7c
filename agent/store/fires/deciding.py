"""What becomes of held fires: released, discarded, started. Each stays the one ledger row of its moment.

Every move names in its WHERE what the row must still be, so that of two who decide at once the first one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import Held, NewRun, NextTurn
from agent.store.fires import backlog, settlement
from agent.store.fires.backlog import FOR_OPERATOR, FOR_TURN, STOPPED
from agent.store.rows import Row, select_where_in
from agent.store.runs import runs
from agent.store.tables import STILL_HELD, jobs
from agent.store.tables import fires as ledger
from shared.models import FireOutcome, FireReason, HeldDecision, Run

_CLOSED = {"outcome": FireOutcome.SKIPPED, "reason": FireReason.WINDOW_CLOSED}


def release(connection: sa.Connection, which: Held, by: str, now: datetime, latest_only: bool) -> HeldDecision:  # noqa: FBT001  (named where it is called)
    waiting = sa.and_(FOR_OPERATOR, _chosen(which))
    decided = {"decided_at": now, "decided_by": by}
    of = _job_ids(connection, waiting)
    closed = _move(connection, sa.and_(waiting, _of_jobs(jobs.c.window_end < now)), {**_CLOSED, **decided})
    ready = sa.and_(waiting, _of_jobs(~STOPPED))
    coalesced = _coalesce(connection, ready, decided) if latest_only else 0
    released = _move(connection, ready, {"reason": FireReason.AWAITING_TURN, **decided})
    left = connection.scalar(sa.select(sa.func.count()).where(STILL_HELD, waiting)) or 0
    if count := released + coalesced + closed:
        backlog.tell(connection, which.account_id, "released", by, count, of, now)
    return HeldDecision(released=released, coalesced=coalesced, closed=closed, left=left)


def discard(connection: sa.Connection, which: Held, by: str, now: datetime) -> HeldDecision:
    missed = {"outcome": FireOutcome.MISSED, "reason": FireReason.DISCARDED, "decided_at": now, "decided_by": by}
    of = _job_ids(connection, _chosen(which))
    discarded = _move(connection, _chosen(which), missed)
    if discarded:
        backlog.tell(connection, which.account_id, "discarded", by, discarded, of, now)
    return HeldDecision(discarded=discarded)


def give_up_deleted(connection: sa.Connection, account_id: str, job_number: int, now: datetime) -> None:
    """Nothing of a deleted job runs any more."""
    missed = {"outcome": FireOutcome.MISSED, "reason": FireReason.JOB_DELETED, "decided_at": now}
    of_job = ledger.c.job_number == job_number
    of = _job_ids(connection, of_job)
    if count := _move(connection, of_job, missed):
        backlog.tell(connection, account_id, "job_deleted", None, count, of, now)


def take_turns(connection: sa.Connection, turns: Sequence[tuple[NextTurn, NewRun]], now: datetime) -> list[Run]:
    standing = {row["id"]: row for row in _still_in_turn(connection, [turn.fire_id for turn, _ in turns])}
    valid = [(standing[turn.fire_id], run) for turn, run in turns if turn.fire_id in standing]
    closed = [row for row, _ in valid if row["window_end"] is not None and row["window_end"] < now]
    for row in closed:
        of_job = sa.and_(FOR_TURN, ledger.c.job_number == row["job_number"])
        _move(connection, of_job, {**_CLOSED, "decided_at": now})
    starting = [(row, run) for row, run in valid if row not in closed]
    created = runs.insert(connection, [run for _, run in starting], now)
    for row, run in starting:
        started = {"outcome": FireOutcome.STARTED, "reason": FireReason.CAUGHT_UP, "run_id": run.id}
        _move(connection, ledger.c.id == row["id"], started)
    settlement.tell(connection, [(row["job_number"], row["fire_at"]) for row, _ in valid], {}, now)
    return created


def _job_ids(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[str]:
    """Of which jobs they are, as far as an event names them."""
    numbers = sa.select(ledger.c.job_number).where(STILL_HELD, which)
    return list(connection.scalars(sa.select(jobs.c.id).where(jobs.c.number.in_(numbers)).limit(backlog.NAMED + 1)))


def _chosen(which: Held) -> sa.ColumnElement[bool]:
    conditions = [ledger.c.account_id == which.account_id]
    if which.job_ids is not None:
        conditions.append(_of_jobs(jobs.c.id.in_(which.job_ids)))
    if which.since is not None:
        conditions.append(ledger.c.fire_at >= which.since)
    if which.until is not None:
        conditions.append(ledger.c.fire_at <= which.until)
    return sa.and_(*conditions)


def _of_jobs(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return ledger.c.job_number.in_(sa.select(jobs.c.number).where(condition))


def _move(connection: sa.Connection, which: sa.ColumnElement[bool], values: dict[str, Any]) -> int:
    """How many held rows it was."""
    return connection.execute(sa.update(ledger).where(STILL_HELD, which).values(values)).rowcount


def _coalesce(connection: sa.Connection, ready: sa.ColumnElement[bool], decided: dict[str, Any]) -> int:
    """All but the newest of each job; how many."""
    newest = sa.func.max(ledger.c.fire_at, type_=ledger.c.fire_at.type)
    query = sa.select(ledger.c.job_number, newest).where(STILL_HELD, ready).group_by(ledger.c.job_number)
    values = {"outcome": FireOutcome.COALESCED, "reason": FireReason.STANDS_FOR_LATER, **decided}
    return sum(
        _move(
            connection,
            sa.and_(ready, ledger.c.job_number == number, ledger.c.fire_at < last),
            {**values, "stands_in_fire_at": last},
        )
        for number, last in connection.execute(query).all()
    )


def _still_in_turn(connection: sa.Connection, fire_ids: Sequence[int]) -> list[Row]:
    query = (
        sa.select(ledger.c.id, ledger.c.job_number, ledger.c.fire_at, jobs.c.window_end)
        .select_from(ledger.join(jobs))
        .where(STILL_HELD, FOR_TURN, jobs.c.deleted_at.is_(None), ~STOPPED)
    )
    return select_where_in(connection, query, ledger.c.id, fire_ids)
