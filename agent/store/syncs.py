"""Runs of syncs and resets: pages, counts, and what each has committed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from agent.core.ports.syncs import SyncEvent, SyncQuery, SyncRun
from agent.store.listing import first_since, jobs_with_few_runs
from agent.store.tables import job_revisions, jobs, run_counts, run_variants, runs, steps
from agent.store.types import micros
from agent.store.visibility import run_seen_by
from shared.states import ACTIVE, RunState

_Condition = sa.ColumnElement[bool]
_STATUS = sa.case(
    (runs.c.state == "completed", "succeeded"), (runs.c.state == "retrying", "pending"), else_=runs.c.state
)
_ORDERS: dict[str, sa.ColumnElement[Any]] = {
    "start_time": runs.c.started_at,
    "status": _STATUS,
    "job_type": runs.c.type,
    "duration": micros(runs.c.finished_at) - micros(runs.c.started_at),
}
_RUN = sa.select(
    runs.c.number, runs.c.id, jobs.c.id.label("job_id"), runs.c.type, runs.c.state, runs.c.created_at,
    runs.c.started_at, runs.c.finished_at, runs.c.result,
).select_from(runs.join(jobs, jobs.c.number == runs.c.job_number))  # fmt: skip


def page(connection: sa.Connection, query: SyncQuery) -> tuple[list[SyncRun], int]:
    conditions = _conditions(connection, query)
    numbers = sa.select(runs.c.number).where(*conditions).order_by(*_order(query))
    chosen = list(connection.scalars(numbers.limit(query.limit).offset(query.offset)))
    return _read(connection, chosen), _count(connection, query, conditions)


def events(
    connection: sa.Connection,
    job_id: str,
    kind: str | None,
    states: tuple[RunState, ...] | None,
    limit: int,
    offset: int,
) -> tuple[list[SyncEvent], int]:
    number = connection.scalar(sa.select(jobs.c.number).where(jobs.c.id == job_id))
    parts = [_run_events(number, kind, states)]
    if states is None:
        parts.append(_revision_events(number, kind))
    every = sa.union_all(*parts).subquery()
    count = connection.scalar(sa.select(sa.func.count()).select_from(every)) or 0
    newest = sa.select(every).order_by(every.c.at.desc(), every.c.run_number.desc(), every.c.revision.desc())
    rows = connection.execute(newest.limit(limit).offset(offset)).mappings().all()
    found = {run.id: run for run in _read(connection, [row["run_number"] for row in rows if row["run_number"]])}
    return [SyncEvent(row["id"], row["kind"], row["at"], found.get(row["id"]), row["revision"]) for row in rows], count


def _conditions(connection: sa.Connection, query: SyncQuery) -> list[_Condition]:
    conditions = [runs.c.account_id == query.account_id, *run_seen_by(query.seen_by), runs.c.type.in_(query.types)]
    if query.run_id is not None:
        conditions.append(runs.c.id == query.run_id)
    if query.states is not None:
        conditions.append(runs.c.state.in_(query.states))
    if query.since is not None:
        conditions.append(runs.c.created_at >= query.since)
        conditions.append(runs.c.number >= first_since(connection, query.since))
    if query.until is not None:
        conditions.append(runs.c.created_at <= query.until)
    if query.job_id is not None:
        number = sa.select(jobs.c.number).where(jobs.c.id == query.job_id).scalar_subquery()
        conditions.append(runs.c.job_number == number)
    elif query.run_id is None and (few := _few_jobs(connection, query)) is not None:
        conditions.append(runs.c.job_number.in_(few))
    return conditions


def _few_jobs(connection: sa.Connection, query: SyncQuery) -> list[int] | None:
    theirs = sa.select(jobs.c.number).where(jobs.c.account_id == query.account_id, jobs.c.type.in_(query.types))
    return jobs_with_few_runs(connection, theirs)


def _order(query: SyncQuery) -> list[sa.ColumnElement[Any]]:
    """What has no value comes last either way; among equals the newest comes first."""
    if query.order == "number":
        return [runs.c.number.desc() if query.descending else runs.c.number]
    column = _ORDERS[query.order]
    return [column.is_(None), column.desc() if query.descending else column.asc(), runs.c.number.desc()]


def _count(connection: sa.Connection, query: SyncQuery, conditions: Sequence[_Condition]) -> int:
    """Where only types and states matter, those that are over are counted already."""
    narrowed = (query.seen_by, query.run_id, query.job_id, query.since, query.until)
    if any(each is not None for each in narrowed):
        return connection.scalar(sa.select(sa.func.count()).where(*conditions)) or 0
    states = tuple(RunState) if query.states is None else query.states
    over = sa.select(sa.func.sum(run_counts.c.count)).where(
        run_counts.c.account_id == query.account_id,
        run_counts.c.type.in_(query.types),
        run_counts.c.state.in_(states),
    )
    active = sa.select(sa.func.count()).where(
        runs.c.account_id == query.account_id,
        runs.c.state.in_([state for state in states if state in ACTIVE]),
        runs.c.type.in_(query.types),
    )
    return int(connection.scalar(over) or 0) + (connection.scalar(active) or 0)


def _read(connection: sa.Connection, numbers: Sequence[int]) -> list[SyncRun]:
    """In the order of the numbers."""
    rows = {row["number"]: row for row in connection.execute(_RUN.where(runs.c.number.in_(numbers))).mappings()}
    unfinished = [number for number, row in rows.items() if row["state"] != RunState.COMPLETED]
    committed = _committed(connection, unfinished)
    return [_run(rows[number], committed.get(number)) for number in numbers]


def _committed(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Rows and bytes of runs that did not come to their end, by what their steps said: the last word of each stream."""
    if not numbers:
        return {}
    said: defaultdict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    query = sa.select(steps.c.run_number, steps.c.result).where(
        steps.c.run_number.in_(numbers), steps.c.result.is_not(None)
    )
    for row in connection.execute(query.order_by(steps.c.run_number, steps.c.attempt, steps.c.position)):
        if isinstance(row.result, dict) and "origin" in row.result:
            said[row.run_number][row.result["origin"]] = row.result
    return {
        number: (_sum(streams.values(), "rows_synced"), _sum(streams.values(), "bytes_synced"))
        for number, streams in said.items()
    }


def _sum(streams: Any, name: str) -> int:
    return sum(int(stream.get(name, 0)) for stream in streams)


def _run(row: sa.RowMapping, committed: tuple[int, int] | None) -> SyncRun:
    result = row["result"] or {}
    rows, size = committed or (result.get("rows_synced", 0), result.get("bytes_synced", 0))
    return SyncRun(
        id=row["id"],
        job_id=row["job_id"],
        type=row["type"],
        state=RunState(row["state"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        rows=int(rows),
        bytes=int(size),
    )


def _run_events(number: int | None, kind: str | None, states: tuple[RunState, ...] | None) -> sa.Select[Any]:
    query = (
        sa.select(
            runs.c.id, _kind_of_run().label("kind"), runs.c.created_at.label("at"), runs.c.number.label("run_number"),
            sa.null().label("revision"),
        )
        .select_from(runs.outerjoin(run_variants, run_variants.c.run_number == runs.c.number))
        .where(runs.c.job_number == number)
    )  # fmt: skip
    if kind is not None:
        query = query.where(_kind_of_run() == kind)
    return query if states is None else query.where(runs.c.state.in_(states))


def _kind_of_run() -> sa.ColumnElement[str]:
    """Runs that do what their job says are syncs, or the resets that the job is."""
    return sa.func.coalesce(run_variants.c.kind, sa.case((runs.c.type == "kb-reset", "reset"), else_="sync"))


def _revision_events(number: int | None, kind: str | None) -> sa.Select[Any]:
    told = sa.case((job_revisions.c.revision == 1, "created"), else_="updated")
    query = (
        sa.select(
            (jobs.c.id + "." + sa.cast(job_revisions.c.revision, sa.Text)).label("id"), told.label("kind"),
            job_revisions.c.created_at.label("at"), sa.null().label("run_number"), job_revisions.c.revision,
        )
        .select_from(job_revisions.join(jobs, jobs.c.number == job_revisions.c.job_number))
        .where(job_revisions.c.job_number == number)
    )  # fmt: skip
    return query if kind is None else query.where(told == kind)
