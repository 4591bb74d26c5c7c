"""Fires, read: what is due, and the ledger of what became of it. Written in `settlement`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from agent.core.records import DueJob
from agent.store.engine.prepared import Prepared
from agent.store.fires import backlog
from agent.store.permissions.visibility import job_seen_by
from agent.store.rows import JOB, Row, job_of, select_where_in
from agent.store.tables import fires, jobs
from agent.store.tables import runs as run_table
from shared.errors import NotFound
from shared.models import Fire, FireOutcome, FireReason
from shared.schedule.settle import ON_TIME
from shared.states import RunState

_LIVING = jobs.c.deleted_at.is_(None)
_DUE = Prepared(
    JOB.where(jobs.c.due_at <= sa.bindparam("now", type_=jobs.c.due_at.type))
    .order_by(jobs.c.due_at, jobs.c.account_id, jobs.c.number)  # as the index has them
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def due(connection: sa.Connection, now: datetime, limit: int) -> list[DueJob]:
    return _due_jobs(connection, _DUE.rows(connection, {"now": now, "most": limit}), now - ON_TIME)


def late(connection: sa.Connection, before: datetime, last: DueJob | None, limit: int) -> list[DueJob]:
    query = JOB.where(jobs.c.due_at < before).order_by(jobs.c.due_at, jobs.c.id).limit(limit)
    if last is not None:
        due_at = last.job.next_run_at
        behind = sa.or_(jobs.c.due_at > due_at, sa.and_(jobs.c.due_at == due_at, jobs.c.id > last.job.id))
        query = query.where(jobs.c.due_at >= due_at, behind)
    return _due_jobs(connection, connection.execute(query).mappings().all())


def state(connection: sa.Connection, account_id: str, job_id: str) -> DueJob:
    query = JOB.where(jobs.c.id == job_id, jobs.c.account_id == account_id, _LIVING)
    rows = connection.execute(query).mappings().all()
    if not rows:
        raise NotFound(f"there is no job {job_id}")
    return _due_jobs(connection, rows)[0]


def next_due(connection: sa.Connection) -> datetime | None:
    return connection.scalar(
        sa.select(jobs.c.due_at).where(jobs.c.due_at.is_not(None)).order_by(jobs.c.due_at).limit(1)
    )


def stale_zone(connection: sa.Connection, zone_data_version: str, limit: int) -> list[DueJob]:
    rows: list[Row] = []
    # Two ranges rather than an inequality: an index can be asked for ranges.
    for other in (jobs.c.zone_data_version < zone_data_version, jobs.c.zone_data_version > zone_data_version):
        query = JOB.where(other, jobs.c.next_fire_at.is_not(None), _LIVING).limit(limit - len(rows))
        rows += connection.execute(query).mappings()
    return _due_jobs(connection, rows)


def list_page(
    connection: sa.Connection,
    account_id: str,
    job_id: str | None,
    outcome: str | None,
    before: int | None,
    limit: int,
    seen_by: str | None = None,
) -> list[Fire]:
    query = FIRE.where(fires.c.account_id == account_id, *job_seen_by(seen_by)).order_by(fires.c.id.desc()).limit(limit)
    if job_id is not None:
        job = sa.select(jobs.c.number).where(jobs.c.id == job_id).scalar_subquery()
        query = query.where(fires.c.job_number == job)
    if outcome is not None:
        query = query.where(fires.c.outcome == outcome)
    if before is not None:
        query = query.where(fires.c.id < before)
    return [_fire_of(row) for row in connection.execute(query).mappings()]


FIRE = sa.select(fires, jobs.c.id.label("job_id")).select_from(fires.join(jobs))


def _fire_of(row: Row) -> Fire:
    """The values come from our own columns: built without checks."""
    known = {name: row[name] for name in Fire.model_fields}
    return Fire.model_construct(
        **{**known, "outcome": FireOutcome(row["outcome"]), "reason": FireReason(row["reason"])}
    )


def _due_jobs(connection: sa.Connection, rows: Sequence[Row], on_time_from: datetime | None = None) -> list[DueJob]:
    """`on_time_from`: of jobs due from then on nothing is to be caught up, and nobody looks whether something is."""
    columns = (run_table.c.job_number, run_table.c.state, run_table.c.cause, run_table.c.created_at)
    query = sa.select(*columns).where(run_table.c.finished_at.is_(None))
    active: dict[int, list[Row]] = {row["number"]: [] for row in rows}
    for run in select_where_in(connection, query, run_table.c.job_number, list(active)):
        active[run["job_number"]].append(run)
    late = [row["number"] for row in rows if on_time_from is None or row["next_fire_at"] < on_time_from]
    in_turn = backlog.jobs_in_turn(connection, late)
    return [_due_job(row, active[row["number"]], in_turn=row["number"] in in_turn) for row in rows]


def _due_job(row: Row, active: Sequence[Row], *, in_turn: bool) -> DueJob:
    caught_up = [run["created_at"] for run in active if run["cause"] == "catch_up"]
    return DueJob(
        # The rules go on from the stored moment, which a paused job keeps too.
        job=job_of({**row, "due_at": row["next_fire_at"]}),
        created_at=row["created_at"],
        high_water=row["high_water"],
        paused_since=row["paused_at"],
        active=len(active),
        queued=sum(run["state"] == RunState.PENDING for run in active),
        catching_up=in_turn or bool(caught_up),
        caught_up_at=max(caught_up, default=None),
        made_through=row["made_through"],
    )
