"""What a look of the sentinels reads: the news since the last one, what runs too long, what has not come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.sentinels.records import EndedRun, LongRun, News, WaitingRun, Watch, WatchedJob
from agent.store import facts
from agent.store.rows import Row, select_where_in
from agent.store.sentinels.sentinels import CURSOR
from agent.store.tables import (
    ACTIVE,
    AWAITED,
    HELD,
    OPEN,
    STILL_HELD,
    VARIED,
    events,
    fires,
    jobs,
    runs,
    sentinels,
    watches,
)
from shared.models import FireReason, SentinelKind

_WATCH = ("revision", "work", "work_since", "rhythm", "last_end", "expected_at", "overdue_at", "slow_after", "history")
_JOB = ("number", "definition", "created_at", "enabled", "paused_at", "deleted_at")
_WATCHED = sa.select(
    *(jobs.c[name] for name in _JOB),
    jobs.c.revision.label("job_revision"),
    *(watches.c[name] for name in _WATCH),
    watches.c.job_number.label("watch_of"),
).select_from(jobs.outerjoin(watches))
_RUN = ("id", "job_number", "revision", "state", "started_at", "finished_at")


def news(connection: sa.Connection, cursor: int | None, limit: int) -> News:
    """From the events behind `cursor` (None: where the last look ended), at most `limit` of them."""
    after = int(facts.get(connection, CURSOR) or 0) if cursor is None else cursor
    behind = sa.select(events.c.id).where(events.c.id > after).order_by(events.c.id).limit(limit).subquery("behind")
    upto, count = connection.execute(sa.select(sa.func.max(behind.c.id), sa.func.count()).select_from(behind)).one()
    if upto is None:
        return News(after, [], set(), more=False)
    span = (events.c.id > after, events.c.id <= upto)
    return News(upto, _ended(connection, span), _changed(connection, span), more=count == limit)


def running_too_long(connection: sa.Connection, now: datetime) -> list[LongRun]:
    """Runs under way for longer than their jobs' runs usually take, of which that is not told yet; there are never more
    runs under way than workers."""
    told = sa.exists().where(sentinels.c.job_number == runs.c.job_number, sentinels.c.kind == "too_slow", OPEN)
    query = sa.select(runs.c.id, runs.c.job_number, runs.c.started_at, watches.c.slow_after)
    query = query.join(watches, watches.c.job_number == runs.c.job_number)
    rows = connection.execute(
        query.where(HELD, watches.c.slow_after.is_not(None), ~told, ~VARIED).order_by(runs.c.lease_until)
    )
    return [
        LongRun(run_id, job_number, started)
        for run_id, job_number, started, slow_after in rows
        if started is not None and (now - started).total_seconds() > slow_after
    ]


def unheard(connection: sa.Connection, now: datetime, limit: int) -> list[int]:
    """Numbers of jobs from which a sign should have come by now, longest ago first."""
    query = sa.select(watches.c.job_number).where(AWAITED, watches.c.overdue_at <= now)
    return list(connection.scalars(query.order_by(watches.c.overdue_at).limit(limit)))


def watched(connection: sa.Connection, numbers: Iterable[int], unheard_of: Sequence[int]) -> list[WatchedJob]:
    """These jobs; of the unheard ones with what may explain the silence."""
    rows = select_where_in(connection, _WATCHED, jobs.c.number, sorted({*numbers, *unheard_of}))
    wanted = [row["number"] for row in rows]
    known, waiting, held = _open(connection, wanted), _waiting(connection, unheard_of), _held(connection, unheard_of)
    return [
        _job(row, known.get(row["number"], {}), waiting.get(row["number"]), is_held=row["number"] in held)
        for row in rows
    ]


def _ended(connection: sa.Connection, span: tuple[sa.ColumnElement[bool], ...]) -> list[EndedRun]:
    """Each once. An event of a run that was over only later is older than that end."""
    query = sa.select(events.c.id.label("event"), *(runs.c[name] for name in _RUN))
    query = query.select_from(events.join(runs, runs.c.id == events.c.subject_id))
    query = query.where(*span, events.c.kind == "run.changed", events.c.at >= runs.c.finished_at, ~VARIED).order_by(
        events.c.id
    )
    found = {row.id: row for row in connection.execute(query)}
    return [EndedRun(*row) for row in found.values()]


def _changed(connection: sa.Connection, span: tuple[sa.ColumnElement[bool], ...]) -> set[int]:
    """Only what is watched: of a job that has never run there is nothing to know."""
    query = sa.select(watches.c.job_number).select_from(
        events.join(jobs, jobs.c.id == events.c.subject_id).join(watches, watches.c.job_number == jobs.c.number)
    )
    return set(connection.scalars(query.where(*span, events.c.kind.in_(("job.changed", "job.deleted")))))


def _waiting(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, WaitingRun]:
    query = sa.select(runs.c.job_number, runs.c.number, runs.c.id, runs.c.state, runs.c.available_at).where(ACTIVE)
    rows = select_where_in(connection, query, runs.c.job_number, numbers)
    newest_first = sorted(rows, key=lambda row: int(row["number"]), reverse=True)
    return {row["job_number"]: WaitingRun(row["id"], row["state"], row["available_at"]) for row in newest_first}


def _held(connection: sa.Connection, numbers: Sequence[int]) -> set[int]:
    # Asked of each job: of a list of jobs at once, SQLite would walk through all of their fires.
    reasons = sa.or_(*(fires.c.reason == word for word in (FireReason.AWAITING_OPERATOR, FireReason.AWAITING_TURN)))
    held = sa.exists().where(STILL_HELD, reasons, fires.c.job_number == watches.c.job_number)
    query = sa.select(watches.c.job_number).where(held)
    return {row["job_number"] for row in select_where_in(connection, query, watches.c.job_number, numbers)}


def _open(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, dict[SentinelKind, str]]:
    found: dict[int, dict[SentinelKind, str]] = {}
    query = sa.select(sentinels.c.id, sentinels.c.job_number, sentinels.c.kind).where(OPEN)
    for row in select_where_in(connection, query, sentinels.c.job_number, numbers):
        found.setdefault(row["job_number"], {})[row["kind"]] = row["id"]
    return found


def _job(row: Row, known: dict[SentinelKind, str], waiting: WaitingRun | None, *, is_held: bool) -> WatchedJob:
    values: dict[str, Any] = {name: row[name] for name in _WATCH}
    return WatchedJob(
        number=row["number"],
        revision=row["job_revision"],
        definition=row["definition"],
        created_at=row["created_at"],
        is_enabled=bool(row["enabled"]) and row["deleted_at"] is None,
        is_paused=row["paused_at"] is not None,
        watch=Watch(**values) if row["watch_of"] is not None else None,
        open=known,
        waiting=waiting,
        is_held=is_held,
    )
