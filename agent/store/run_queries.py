"""Runs: reading."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import RunQuery
from agent.store import filtering
from agent.store.claims import OLDER_ACTIVE, running_by_key
from agent.store.narrowing import narrow
from agent.store.rows import RUN, Row, run_of
from agent.store.tables import attempts, jobs, late_results, runs, steps
from agent.store.types import micros
from shared.errors import InvalidInput, NotFound
from shared.filters import Filter
from shared.models import Run, Step
from shared.states import RunState

_SORTS: dict[str, sa.ColumnElement[Any]] = {
    "number": runs.c.number,
    "created": runs.c.created_at,
    "started": runs.c.started_at,
    "finished": runs.c.finished_at,
    "dur": micros(runs.c.finished_at) - micros(runs.c.started_at),
    "state": runs.c.state,
    "type": runs.c.type,
    "name": jobs.c.name_key,
    "priority": runs.c.priority,
}


def get(connection: sa.Connection, account_id: str, run_id: str, now: datetime) -> Run:
    query = RUN.where(runs.c.id == run_id, runs.c.account_id == account_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return _with_reasons(connection, [row], now)[0]


def list_page(connection: sa.Connection, query: RunQuery, now: datetime) -> list[Run]:
    """Newest first unless sorted otherwise; `after` gives the page next to it, in the same order."""
    statement = RUN.where(*_conditions(query, now), *_narrowed(connection, query.where)).limit(query.limit)
    upwards = query.after is not None and query.before is None and query.sort == "-number"
    statement = statement.order_by(runs.c.number) if upwards else statement.order_by(*_order(query.sort))
    rows = connection.execute(statement).mappings().all()
    return _with_reasons(connection, rows[::-1] if upwards else rows, now)


def count_by_state(connection: sa.Connection, account_id: str, where: Filter | None, now: datetime) -> dict[str, int]:
    """Every state is named, with 0 where there is none."""
    query = sa.select(runs.c.state, sa.func.count()).where(runs.c.account_id == account_id).group_by(runs.c.state)
    if where is not None:
        query = query.where(filtering.compile_filter(where, now), *_narrowed(connection, where))
    counts = dict.fromkeys(map(str, RunState), 0)
    counts.update((state, count) for state, count in connection.execute(query))
    return counts


def list_steps(connection: sa.Connection, run_id: str) -> list[Step]:
    """In the order of attempts and positions."""
    query = sa.select(steps).join(runs).where(runs.c.id == run_id).order_by(steps.c.attempt, steps.c.position)
    return [Step.model_validate({**row, "run_id": run_id}) for row in connection.execute(query).mappings()]


def list_attempts(connection: sa.Connection, run_id: str) -> list[dict[str, Any]]:
    """Oldest first, in the shape of `GET /runs/{id}/attempts`; `evidence` is what came after the attempt was given up."""
    query = sa.select(attempts).join(runs).where(runs.c.id == run_id).order_by(attempts.c.attempt)
    late = connection.execute(sa.select(late_results).join(runs).where(runs.c.id == run_id)).mappings().all()
    return [
        {
            "attempt": row["attempt"],
            "workerId": row["worker_id"],
            "claimedAt": row["claimed_at"],
            "endedAt": row["ended_at"],
            "outcome": row["outcome"],
            "error": row["error"],
            "evidence": [_evidence(each) for each in late if each["attempt"] == row["attempt"]],
        }
        for row in connection.execute(query).mappings()
    ]


def _evidence(row: Row) -> dict[str, Any]:
    return {
        "workerId": row["worker_id"],
        "outcome": row["outcome"],
        "endedAt": row["ended_at"],
        "receivedAt": row["received_at"],
        "result": row["result"],
        "error": row["error"],
    }


def _conditions(query: RunQuery, now: datetime) -> list[sa.ColumnElement[bool]]:
    conditions = [runs.c.account_id == query.account_id]
    if query.job_id is not None:
        job = sa.select(jobs.c.number).where(jobs.c.id == query.job_id).scalar_subquery()
        conditions.append(runs.c.job_number == job)
    if query.before is not None:
        conditions.append(runs.c.number < query.before)
    if query.after is not None:
        conditions.append(runs.c.number > query.after)
    if query.where is not None:
        conditions.append(filtering.compile_filter(query.where, now))
    return conditions


def _narrowed(connection: sa.Connection, where: Filter | None) -> list[sa.ColumnElement[bool]]:
    few = narrow(connection, where) if where is not None else None
    return [] if few is None else [few]


def _order(sort: str) -> list[sa.ColumnElement[Any]]:
    name = sort.removeprefix("-")
    column = _SORTS.get(name)
    if column is None:
        raise InvalidInput.one("sort", f"sort by one of {', '.join(_SORTS)}; a '-' before it descends", sort)
    if name == "number":
        return [column.desc() if sort.startswith("-") else column.asc()]
    # Engines differ in where they put NULL; what has no value comes last either way.
    return [column.is_(None), column.desc() if sort.startswith("-") else column.asc(), runs.c.number.desc()]


def _with_reasons(connection: sa.Connection, rows: Sequence[Row], now: datetime) -> list[Run]:
    """The runs, with what each due one waits for, found out when asked: it changes without the run changing."""
    due = [row for row in rows if _might_start(row, now)]
    reasons = _reasons(connection, due) if due else {}
    return [run_of(row, reasons.get(row["number"])) for row in rows]


def _might_start(row: Row, now: datetime) -> bool:
    waits = row["finished_at"] is None and row["lease_until"] is None and row["cancel_due_at"] is None
    return waits and bool(row["available_at"] <= now)


def _reasons(connection: sa.Connection, due: Sequence[Row]) -> dict[int, str]:
    numbers = [row["number"] for row in due if row["chained"]]
    query = sa.select(runs.c.number).where(runs.c.number.in_(numbers), OLDER_ACTIVE)
    chained = set(connection.scalars(query)) if numbers else set()
    running = running_by_key(connection)
    return {row["number"]: _reason(row, chained, running[row["account_id"], row["concurrency_key"]]) for row in due}


def _reason(row: Row, chained: set[int], running: int) -> str:
    if row["number"] in chained:
        return "an older run of this job"
    if row["concurrency_key"] is not None and running >= row["concurrency_limit"]:
        return f"key {row['concurrency_key']}: {running} of {row['concurrency_limit']} running"
    return "no free worker"
