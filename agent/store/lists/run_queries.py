"""Runs: reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import RunPage, RunQuery, Tally
from agent.store import pruning
from agent.store.engine.prepared import Lookup, Prepared
from agent.store.lists import counts, filtering, plain
from agent.store.lists.filtering import Condition
from agent.store.lists.fulltext import Among
from agent.store.lists.narrowing import names_few_jobs, narrow
from agent.store.lists.newest import seen_between, sees_few
from agent.store.lists.walking import Patience, Stretch, stretches
from agent.store.permissions.visibility import run_seen_by
from agent.store.rows import RUN, Row, chunks, run_of
from agent.store.runs.claims import OLDER_ACTIVE, running_by_key
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
_RUNS = Lookup(RUN, runs.c.number)
_ENDS = Prepared(
    sa.select(
        sa.select(sa.func.min(runs.c.number)).scalar_subquery().label("first"),
        sa.select(sa.func.max(runs.c.number)).scalar_subquery().label("last"),
    )
)


def get(connection: sa.Connection, account_id: str, run_id: str, now: datetime) -> Run:
    query = RUN.where(runs.c.id == run_id, runs.c.account_id == account_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        gone = pruning.may_be_gone(connection, run_id)
        raise NotFound(
            f"there is no run {run_id}" + ("; old ones are deleted in time, see keep_runs_for" if gone else "")
        )
    return _with_reasons(connection, [row], now)[0]


def list_page(connection: sa.Connection, query: RunQuery, now: datetime, patience: Patience) -> RunPage:
    """Newest first unless sorted otherwise; `after` gives the page next to it, in the same order."""
    upwards = query.after is not None and query.before is None and query.sort == "-number"
    if plain.is_plain(query):
        rows = plain.rows(connection, query, upwards=upwards)
        before = _last(rows, query)
    elif query.sort == "-number" and not upwards:
        numbers, before = _walk(connection, query, now, patience)
        rows = _read(connection, numbers)
    else:
        rows = _read(connection, _all_at_once(connection, query, now, upwards=upwards))
        before = _last(rows, query)
    return RunPage(_with_reasons(connection, rows, now), before)


def count_by_state(
    connection: sa.Connection,
    account_id: str,
    where: Filter | None,
    now: datetime,
    patience: Patience,
    seen_by: str | None = None,
) -> Tally:
    """Every state is named, with 0 where there is none."""
    kept = counts.by_state(connection, account_id, where, seen_by)
    if kept is not None or where is None:
        return Tally(_named(kept or {}))
    seen = run_seen_by(seen_by)
    few = narrow(connection, where)
    if few is None:
        return _count_on_the_way(connection, account_id, where, now, patience, *seen)
    found: Counter[str] = Counter()
    condition = filtering.compile_filter(where, now)
    for part in chunks(few):
        found.update(_counted(connection, account_id, runs.c.number.in_(part), condition, *seen))
    return Tally(_named(found))


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


def _all_at_once(connection: sa.Connection, query: RunQuery, now: datetime, *, upwards: bool) -> list[int]:
    conditions = _conditions(query)
    if query.where is not None:
        conditions.append(filtering.compile_filter(query.where, now))
        few = narrow(connection, query.where)
        conditions += [] if few is None else [runs.c.number.in_(few)]
    statement = sa.select(runs.c.number).where(*conditions)
    if query.sort.removeprefix("-") == "name":
        statement = statement.join(jobs, jobs.c.number == runs.c.job_number)
    statement = statement.order_by(runs.c.number) if upwards else statement.order_by(*_order(query.sort))
    numbers = list(connection.scalars(statement.limit(query.limit)))
    return numbers[::-1] if upwards else numbers


def _walk(
    connection: sa.Connection, query: RunQuery, now: datetime, patience: Patience
) -> tuple[list[int], int | None]:
    """Numbers of runs, and that below which to go on: the page is full, or the time is over."""
    assert query.where is not None
    lowest, highest = _bounds(connection, query)
    start, found, gather = highest, list[int](), names_few_jobs(connection, query.where)
    few_jobs = sees_few(connection, query.account_id, query.seen_by, query.limit)
    for start, below in stretches(lowest, highest, patience):
        mine = [runs.c.number.in_(seen_between(query.account_id, query.seen_by, start, below))] if few_jobs else []
        found += _matching(connection, query, Among(start, below, gather), now, query.limit - len(found), *mine)
        if len(found) == query.limit:
            return found, found[-1]
        if below < highest or start == lowest or len(found) * 4 >= query.limit:
            continue
        if len(found) >= counts.at_most(connection, query.account_id, query.where, query.seen_by):
            return found, None
        few = narrow(connection, query.where)
        if few is not None:
            rest = [number for number in few if lowest <= number < start]
            return _fill(connection, query, rest, now, found)
    return found, start if start > lowest else None


def _fill(
    connection: sa.Connection, query: RunQuery, numbers: Sequence[int], now: datetime, found: list[int]
) -> tuple[list[int], int | None]:
    for part in chunks(numbers):
        these, among = runs.c.number.in_(part), Among(part[-1], part[0] + 1)
        found += _matching(connection, query, among, now, query.limit - len(found), these)
        if len(found) == query.limit:
            return found, found[-1]
    return found, None


def _matching(
    connection: sa.Connection, query: RunQuery, among: Among, now: datetime, limit: int, *further: Condition
) -> Sequence[int]:
    assert query.where is not None
    within = (runs.c.number >= among.start, runs.c.number < among.below, *further)
    matches = filtering.compile_filter(query.where, now, among)
    statement = sa.select(runs.c.number).where(*_conditions(query), *within, matches)
    return connection.scalars(statement.order_by(runs.c.number.desc()).limit(limit)).all()


def _last(rows: Sequence[Row], query: RunQuery) -> int | None:
    """Below which to go on, where the page is full."""
    return rows[-1]["number"] if len(rows) == query.limit else None


def _read(connection: sa.Connection, numbers: Sequence[int]) -> list[Row]:
    """The rows of the page alone, in its order: what is looked through to find them is mostly indexes."""
    rows = {row["number"]: row for row in _RUNS.rows(connection, numbers)}
    return [rows[number] for number in numbers]


def _bounds(connection: sa.Connection, query: RunQuery | None = None) -> Stretch:
    """The numbers among which to look: from the first on, and below the second."""
    lowest = None if query is None or query.after is None else query.after + 1
    below = None if query is None else query.before
    if lowest is None or below is None:
        [ends_at] = _ENDS.rows(connection, {})
        lowest = ends_at["first"] or 0 if lowest is None else lowest
        below = (ends_at["last"] or 0) + 1 if below is None else below
    return lowest, below


def _conditions(query: RunQuery) -> list[Condition]:
    conditions = [runs.c.account_id == query.account_id, *run_seen_by(query.seen_by)]
    if query.job_id is not None:
        job = sa.select(jobs.c.number).where(jobs.c.id == query.job_id).scalar_subquery()
        conditions.append(runs.c.job_number == job)
    if query.before is not None:
        conditions.append(runs.c.number < query.before)
    if query.after is not None:
        conditions.append(runs.c.number > query.after)
    return conditions


def _count_on_the_way(
    connection: sa.Connection, account_id: str, where: Filter, now: datetime, patience: Patience, *seen: Condition
) -> Tally:
    found: Counter[str] = Counter()
    lowest, highest = _bounds(connection)
    start, gather = highest, names_few_jobs(connection, where)
    for start, below in stretches(lowest, highest, patience):
        within = sa.and_(runs.c.number >= start, runs.c.number < below)
        condition = filtering.compile_filter(where, now, Among(start, below, gather))
        found.update(_counted(connection, account_id, within, condition, *seen))
    return Tally(_named(found), complete=start <= lowest)


def _counted(connection: sa.Connection, account_id: str, *conditions: Condition) -> dict[str, int]:
    query = sa.select(runs.c.state, sa.func.count()).where(runs.c.account_id == account_id, *conditions)
    return dict(connection.execute(query.group_by(runs.c.state)).all())


def _named(found: Mapping[str, int]) -> dict[str, int]:
    return {str(state): found.get(state, 0) for state in RunState}


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
