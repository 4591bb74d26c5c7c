"""Runs of syncs and resets: pages, counts, and what each has committed. Statements are made once for each shape of a
question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from agent.core.ports.syncs import SyncQuery, SyncRun
from agent.store.engine.prepared import Lookup, Prepared, Row
from agent.store.lists import asked
from agent.store.lists.newest import ends, sees_few
from agent.store.permissions.visibility import job_seen_by, numbers_seen
from agent.store.tables import ACTIVE as NOT_OVER
from agent.store.tables import job_counts, jobs, run_counts, runs, steps
from agent.store.types import micros
from shared.states import ACTIVE, RunState

_STATES = {str(state): state for state in RunState}
_shown = runs.alias("shown")
_RUN = sa.select(
    _shown.c.number, _shown.c.id, jobs.c.id.label("job_id"), _shown.c.type, _shown.c.state, _shown.c.created_at,
    _shown.c.started_at, _shown.c.finished_at, _shown.c.result,
).select_from(_shown.join(jobs, jobs.c.number == _shown.c.job_number))  # fmt: skip
_BY_NUMBER = Lookup(_RUN, _shown.c.number)
_STEPS = Lookup(
    sa.select(steps.c.run_number, steps.c.result)
    .where(steps.c.result.is_not(None))
    .order_by(steps.c.run_number, steps.c.attempt, steps.c.position),
    steps.c.run_number,
)


@dataclass(frozen=True, slots=True)
class _Shape:
    types: int
    states: int
    run: bool
    job: bool
    since: bool
    until: bool
    few: bool
    """By the jobs of these types."""
    seen: bool
    ends: bool
    """By the jobs that the user sees."""


def page(connection: sa.Connection, query: SyncQuery) -> tuple[list[SyncRun], int]:
    shape, given = _asked(connection, query)
    found = _page(shape, query.order, query.descending).rows(connection, given)
    return _told(connection, found), _count(connection, query, shape, given)


def read(connection: sa.Connection, numbers: Sequence[int]) -> list[SyncRun]:
    """In whatever order."""
    return _told(connection, _BY_NUMBER.rows(connection, numbers))


def _told(connection: sa.Connection, rows: Sequence[Row]) -> list[SyncRun]:
    committed = _committed(connection, [row["number"] for row in rows if row["state"] != RunState.COMPLETED])
    return [_run(row, committed.get(row["number"])) for row in rows]


def _asked(connection: sa.Connection, query: SyncQuery) -> tuple[_Shape, dict[str, Any]]:
    states = query.states or ()
    given: dict[str, Any] = {
        "account": query.account_id,
        "seen_by": query.seen_by,
        "run": query.run_id,
        "job": query.job_id,
        "until": query.until,
        "row_count": query.limit,
        "row_offset": query.offset,
        **asked.listed("wanted_type", query.types),
        **asked.listed("wanted_state", states),
        **asked.since(connection, query.since),
    }
    shape = _Shape(
        types=len(query.types),
        states=len(states),
        run=query.run_id is not None,
        job=query.job_id is not None,
        since="since" in given,
        until=query.until is not None,
        few=query.run_id is None and query.job_id is None and _are_few(connection, given, len(query.types)),
        seen=query.seen_by is not None,
        ends=_is_first_page(query) and sees_few(connection, query.account_id, query.seen_by, query.limit),
    )
    return shape, given


@lru_cache(maxsize=512)
def _page(shape: _Shape, order: str, descending: bool) -> Prepared:  # noqa: FBT001  (a key of the cache)
    """The numbers come first, mostly from indexes alone; then the rows of these."""
    numbers = _numbers(shape, order, descending=descending)
    those = _RUN.where(_shown.c.number.in_(sa.select(numbers.subquery().c.number)))
    return Prepared(those.order_by(*_order(_shown, order, descending=descending)))


def _numbers(shape: _Shape, order: str, *, descending: bool) -> sa.Select[int]:
    limit, offset = asked.count("row_count"), asked.count("row_offset")
    if shape.ends:
        return ends(asked.text("account"), asked.text("seen_by"), limit, lambda table: _kinds(table, shape))
    query = sa.select(runs.c.number).where(*_conditions(shape)).order_by(*_order(runs, order, descending=descending))
    return query.limit(limit).offset(offset)


def _is_first_page(query: SyncQuery) -> bool:
    """Of the newest, with nothing asked for but types and states."""
    asked = (query.run_id, query.job_id, query.since, query.until)
    return query.order == "number" and query.descending and not query.offset and asked == (None,) * 4


def _kinds(table: sa.FromClause, shape: _Shape) -> list[sa.ColumnElement[bool]]:
    return [_type_in(table, shape.types), *([_state_in(table, shape.states)] if shape.states else [])]


def _conditions(shape: _Shape) -> list[sa.ColumnElement[bool]]:
    conditions = _kinds(runs, shape)
    if shape.job:  # what is asked of the job need not be asked of its runs
        conditions.append(runs.c.job_number == _number_of_job(seen=shape.seen))
    else:
        conditions += asked.of_account(seen=shape.seen)
    if shape.run:
        conditions.append(runs.c.id == asked.text("run"))
    if shape.since:
        conditions += asked.young(runs)
    if shape.until:
        conditions.append(runs.c.created_at <= sa.bindparam("until", type_=runs.c.created_at.type))
    if shape.few:
        theirs = sa.select(jobs.c.number).where(jobs.c.account_id == asked.text("account"), _type_in(jobs, shape.types))
        conditions.append(runs.c.job_number.in_(theirs))
    return conditions


def _order(table: sa.FromClause, order: str, *, descending: bool) -> list[sa.ColumnElement[Any]]:
    """What has no value comes last either way; among equals the newest comes first."""
    if order == "number":
        return [table.c.number.desc() if descending else table.c.number]
    column = _value(table, order)
    return [column.is_(None), column.desc() if descending else column.asc(), table.c.number.desc()]


def _value(table: sa.FromClause, order: str) -> sa.ColumnElement[Any]:
    state = table.c.state
    match order:
        case "start_time":
            return table.c.started_at
        case "status":
            return sa.case((state == "completed", "succeeded"), (state == "retrying", "pending"), else_=state)
        case "job_type":
            return table.c.type
        case _:
            return micros(table.c.finished_at) - micros(table.c.started_at)


def _are_few(connection: sa.Connection, given: dict[str, Any], types: int) -> bool:
    """Few of those that are over: then the runs of their jobs are looked through, sooner than all there are."""
    [found] = _all_over(types).rows(connection, given)
    return (found["count"] or 0) <= asked.FEW_RUNS


def _count(connection: sa.Connection, query: SyncQuery, shape: _Shape, given: dict[str, Any]) -> int:
    """Where only the job, types and states matter, those that are over are counted already."""
    if shape.run or shape.since or shape.until:
        [found] = _counted(shape).rows(connection, given)
        return int(found["count"])
    active = [state for state in query.states or tuple(RunState) if state in ACTIVE]
    there = _there(shape.types, shape.states, len(active), seen=shape.seen, job=shape.job)
    [found] = there.rows(connection, {**given, **asked.listed("active", active)})
    return int(found["over"] or 0) + int(found["active"])


@lru_cache(maxsize=512)
def _counted(shape: _Shape) -> Prepared:
    return Prepared(sa.select(sa.func.count().label("count")).select_from(runs).where(*_conditions(shape)))


@lru_cache(maxsize=64)
def _there(types: int, states: int, active: int, *, seen: bool, job: bool) -> Prepared:
    over = _over(types, states, seen=seen, job=job).scalar_subquery()
    waiting = _active(types, active, seen=seen, job=job).scalar_subquery() if active else sa.literal_column("0")
    return Prepared(sa.select(over.label("over"), waiting.label("active")))


@lru_cache(maxsize=64)
def _all_over(types: int) -> Prepared:
    return Prepared(_over(types, 0, seen=False, job=False))


def _over(types: int, states: int, *, seen: bool, job: bool) -> sa.Select[Any]:
    table = job_counts if seen or job else run_counts
    mine = [_type_in(table, types), *([_state_in(table, states)] if states else [])]
    if job:
        mine.append(job_counts.c.job_number == _number_of_job(seen=seen))
    elif seen:
        mine.append(job_counts.c.job_number.in_(numbers_seen(asked.text("account"), asked.text("seen_by"))))
    if table is run_counts:
        mine.append(run_counts.c.account_id == asked.text("account"))
    return sa.select(sa.func.sum(table.c.count).label("count")).where(*mine)


def _active(types: int, states: int, *, seen: bool, job: bool) -> sa.Select[Any]:
    mine = [asked.among(runs.c.state, "active", states), _type_in(runs, types)]
    if job:  # of its unfinished ones, which are few, there is an index
        mine += [runs.c.job_number == _number_of_job(seen=seen), NOT_OVER]
    else:
        mine += asked.of_account(seen=seen)
    return sa.select(sa.func.count().label("count")).select_from(runs).where(*mine)


def _number_of_job(*, seen: bool) -> sa.ScalarSelect[int]:
    """`seen`: if it is one that the user sees."""
    user = asked.text("seen_by") if seen else None
    mine = (jobs.c.id == asked.text("job"), jobs.c.account_id == asked.text("account"), *job_seen_by(user))
    return sa.select(jobs.c.number).where(*mine).scalar_subquery()


def _committed(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Rows and bytes of runs that did not come to their end, by what their steps said: the last word of each stream."""
    said: defaultdict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in _STEPS.rows(connection, numbers):
        if isinstance(row["result"], dict) and "origin" in row["result"]:
            said[row["run_number"]][row["result"]["origin"]] = row["result"]
    return {
        number: (_sum(streams.values(), "rows_synced"), _sum(streams.values(), "bytes_synced"))
        for number, streams in said.items()
    }


def _sum(streams: Iterable[dict[str, Any]], name: str) -> int:
    return sum(int(stream.get(name, 0)) for stream in streams)


def _run(row: Row, committed: tuple[int, int] | None) -> SyncRun:
    result = row["result"] or {}
    rows, size = committed or (result.get("rows_synced", 0), result.get("bytes_synced", 0))
    return SyncRun(
        id=row["id"],
        job_id=row["job_id"],
        type=row["type"],
        state=_STATES[row["state"]],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        rows=int(rows),
        bytes=int(size),
    )


def _type_in(table: sa.FromClause, count: int) -> sa.ColumnElement[bool]:
    return asked.among(table.c.type, "wanted_type", count)


def _state_in(table: sa.FromClause, count: int) -> sa.ColumnElement[bool]:
    return asked.among(table.c.state, "wanted_state", count)
