"""What a job's runs came to: those that are over, with their steps, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from agent.core.records import PastRun
from agent.store import events, pruning
from agent.store.rows import RUN, Row, run_of, select_where_in
from agent.store.tables import jobs, runs, steps
from shared.errors import Conflict, NotFound
from shared.models import Step
from shared.states import FINAL

_OVER = runs.c.state.in_(sorted(FINAL))


def page(
    connection: sa.Connection, job_id: str, *, newest_first: bool, limit: int, start: int
) -> tuple[list[PastRun], int]:
    """A page and the total, counted and stepped over in the index of the job's runs."""
    number = connection.scalar(sa.select(jobs.c.number).where(jobs.c.id == job_id))
    own = (runs.c.job_number == number, _OVER)
    total = connection.scalar(sa.select(sa.func.count()).where(*own)) or 0
    order = runs.c.number.desc() if newest_first else runs.c.number.asc()
    query = sa.select(runs.c.number).where(*own).order_by(order).limit(limit).offset(start)
    numbers = list(connection.scalars(query))
    found = {row["number"]: row for row in select_where_in(connection, RUN, runs.c.number, numbers)}
    return _with_steps(connection, [found[number] for number in numbers]), total


def get(connection: sa.Connection, job_id: str, run_id: str) -> PastRun:
    rows = connection.execute(RUN.where(runs.c.id == run_id, jobs.c.id == job_id, _OVER)).mappings().all()
    if not rows:
        raise NotFound(f"no run {run_id} of the job is over and kept")
    return _with_steps(connection, rows)[0]


def delete(connection: sa.Connection, account_id: str, run_id: str, now: datetime) -> None:
    """With all that is theirs but its log, which the agent deletes next. Conflict unless it is over."""
    query = sa.select(runs.c.number, jobs.c.id.label("job_id")).join(jobs, jobs.c.number == runs.c.job_number)
    row = connection.execute(query.where(runs.c.id == run_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    if not pruning.delete_runs(connection, [row["number"]]):
        raise Conflict(f"run {run_id} is not over; cancel it first")
    events.record(connection, "run.deleted", [(account_id, run_id, {"id": run_id, "jobId": row["job_id"]})], now)


def _with_steps(connection: sa.Connection, rows: Sequence[Row]) -> list[PastRun]:
    taken: dict[int, list[Step]] = defaultdict(list)
    query = sa.select(steps).order_by(steps.c.run_number, steps.c.attempt, steps.c.position)
    ids = {row["number"]: row["id"] for row in rows}
    for row in select_where_in(connection, query, steps.c.run_number, ids):
        taken[row["run_number"]].append(Step.model_validate({**row, "run_id": ids[row["run_number"]]}))
    return [PastRun(run_of(row), taken[row["number"]]) for row in rows]
