"""How attempts end: guarded moves under the fence, evidence of what came too late, statistics."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from statistics import median
from typing import Any

import sqlalchemy as sa

from agent.core.records import Fence, Outcome
from agent.store import events
from agent.store.engine.prepared import Prepared
from agent.store.lists import fulltext
from agent.store.rows import Row, error_columns, run_of, select_where_in
from agent.store.runs import moves, promises
from agent.store.runs.leases import holders
from agent.store.tables import attempts, checkpoints, job_statistics, jobs, late_results, runs, steps
from agent.store.types import from_json
from shared.models import Run
from shared.states import RunState

REMEMBERED = 100
"""How many durations of completed runs a job's statistics are made from."""


_LEARNT = ("durations", "median", "p90")

# Made once: every run that ends needs them.
_END_ATTEMPT = Prepared(
    sa.update(attempts).where(
        attempts.c.run_number == sa.bindparam("of_run"), attempts.c.attempt == sa.bindparam("of_attempt")
    ),
    ("ended_at", "outcome", "error"),
)
_END_STEPS = (
    sa.update(steps)
    .where(
        steps.c.run_number == sa.bindparam("of_run"),
        steps.c.attempt == sa.bindparam("of_attempt"),
        steps.c.state == "running",
    )
    .values(
        state=sa.bindparam("new_state", type_=steps.c.state.type),
        finished_at=sa.bindparam("new_finished_at", type_=steps.c.finished_at.type),
    )
)
_FORGET_CHECKPOINT = sa.delete(checkpoints).where(checkpoints.c.run_number == sa.bindparam("of_run"))
_UPDATE_STATISTICS = Prepared(
    sa.update(job_statistics)
    .where(job_statistics.c.job_number == sa.bindparam("new_job_number"))
    .values({name: sa.bindparam(f"new_{name}", type_=job_statistics.c[name].type) for name in _LEARNT})
)
_INSERT_STATISTICS = sa.insert(job_statistics)


def finish(connection: sa.Connection, outcomes: Sequence[Outcome], now: datetime) -> list[Run | None]:
    """The runs that moved, in the order of their outcomes; None for those whose fence does not hold."""
    holding = holders(connection, [outcome.fence for outcome in outcomes])
    valid: dict[Fence, Outcome] = {}
    late: list[Outcome] = []
    for outcome in outcomes:
        if outcome.fence in holding and outcome.fence not in valid:
            valid[outcome.fence] = outcome
        else:
            late.append(outcome)
    begun = _begun(connection, valid, holding, now)
    holding |= begun
    valid = _unless_unwanted(connection, valid, holding)
    moved = _move(connection, valid, holding, begun.keys())
    _end_attempts(connection, valid, holding)
    _end_steps(connection, valid, holding)
    _learn(connection, valid, holding)
    _keep_evidence(connection, late, now)
    events.record_runs(connection, "run.changed", moved.values(), now)
    return [moved.pop(each.fence.run_id, None) if each.fence in valid else None for each in outcomes]


def _begun(
    connection: sa.Connection, valid: dict[Fence, Outcome], holding: dict[Fence, Row], now: datetime
) -> dict[Fence, Row]:
    """Promised runs that are over before anything was said of them have begun first; that is written with their end."""
    begun = promises.tell_begun(
        connection, ((holding[fence], outcome.started_at) for fence, outcome in valid.items()), now
    )
    return {fence: begun[row["number"]] for fence, row in holding.items() if row["number"] in begun} if begun else {}


def _move(
    connection: sa.Connection, valid: dict[Fence, Outcome], holding: dict[Fence, Row], begun: Collection[Fence]
) -> dict[str, Run]:
    """The runs as they are then, by id, in the order of their numbers. `begun`: those that the store has pending yet."""
    changes: dict[tuple[RunState, bool], list[dict[str, Any]]] = defaultdict(list)
    moved = []
    for fence, outcome in valid.items():
        run, changed = holding[fence], _changed(outcome, holding[fence])
        state = RunState.RETRYING if _is_retry(outcome) else RunState(outcome.state)
        changes[state, fence in begun].append({"run_number": run["number"], **changed})
        moved.append(run_of({**run, **changed, "state": state, "version": run["version"] + 1}))
    for (state, begins), rows in changes.items():
        moves.move_each(connection, state, rows, through=RunState.RUNNING if begins else None)
    messages = [(holding[fence]["number"], valid[fence].error) for fence in valid]
    fulltext.index_errors(connection, ((number, error.message) for number, error in messages if error is not None))
    return {run.id: run for run in sorted(moved, key=lambda run: run.number)}


def _changed(outcome: Outcome, run: Row) -> dict[str, Any]:
    """The columns of the run that the outcome sets."""
    common = {"lease_until": None, "started_at": _started(outcome, run), **error_columns(outcome.error)}
    if _is_retry(outcome):
        return {**common, "worker_id": None, "available_at": outcome.retry_at or outcome.ended_at}
    return {**common, "finished_at": outcome.ended_at, "result": outcome.result}


def _unless_unwanted(
    connection: sa.Connection, valid: dict[Fence, Outcome], holding: dict[Fence, Row]
) -> dict[Fence, Outcome]:
    """No further attempt of a run that was to be cancelled, or whose job was deleted, while this one ran."""
    again = {holding[fence]["job_number"] for fence, outcome in valid.items() if _is_retry(outcome)}
    if not again:
        return valid
    query = sa.select(jobs.c.number).where(jobs.c.deleted_at.is_not(None))
    gone = {row["number"] for row in select_where_in(connection, query, jobs.c.number, again)}
    return {
        fence: _unwanted(outcome, holding[fence], gone) if _is_retry(outcome) else outcome
        for fence, outcome in valid.items()
    }


def _unwanted(outcome: Outcome, run: Row, deleted: set[int]) -> Outcome:
    if run["cancel_requested_at"] is not None:
        return replace(outcome, state="cancelled", retry_at=None)
    return replace(outcome, state="failed", retry_at=None) if run["job_number"] in deleted else outcome


def _started(outcome: Outcome, run: Row) -> datetime | None:
    return outcome.started_at or run["started_at"]


def _is_retry(outcome: Outcome) -> bool:
    return outcome.retry_at is not None or outcome.state == "retrying"


def _end_attempts(connection: sa.Connection, valid: dict[Fence, Outcome], holding: dict[Fence, Row]) -> None:
    rows = [
        {
            "of_run": holding[fence]["number"],
            "of_attempt": fence.attempt,
            "ended_at": outcome.ended_at,
            "outcome": "retrying" if _is_retry(outcome) else outcome.state,
            "error": outcome.error.model_dump(mode="json", by_alias=True) if outcome.error else None,
        }
        for fence, outcome in valid.items()
    ]
    if rows:
        _END_ATTEMPT.each(connection, rows)


def _end_steps(connection: sa.Connection, valid: dict[Fence, Outcome], holding: dict[Fence, Row]) -> None:
    """A worker that died said nothing of the step that it was at: it ended when the attempt did."""
    rows = [
        {
            "of_run": holding[fence]["number"],
            "of_attempt": fence.attempt,
            "new_state": "failed" if _is_retry(outcome) else outcome.state,
            "new_finished_at": outcome.ended_at,
        }
        for fence, outcome in valid.items()
        if holding[fence]["has_open_steps"]
    ]
    if rows:
        connection.execute(_END_STEPS, rows)


def _learn(connection: sa.Connection, valid: dict[Fence, Outcome], holding: dict[Fence, Row]) -> None:
    """A completed run needs its checkpoint no more, and teaches how long its job takes."""
    completed = [fence for fence, outcome in valid.items() if outcome.state == "completed" and not _is_retry(outcome)]
    if not completed:
        return
    used = [{"of_run": holding[fence]["number"]} for fence in completed if holding[fence]["has_checkpoint"]]
    if used:
        connection.execute(_FORGET_CHECKPOINT, used)
    usual = [fence for fence in completed if not holding[fence]["is_varied"]]
    written = {holding[fence]["job_number"]: holding[fence]["durations"] for fence in usual}
    durations: dict[int, list[float]] = {job: from_json(text) if text else [] for job, text in written.items()}
    for fence in usual:
        started = _started(valid[fence], holding[fence])
        taken = (valid[fence].ended_at - started).total_seconds() if started else 0.0
        durations[holding[fence]["job_number"]].append(max(0.0, taken))
    _remember(connection, durations, [job for job, text in written.items() if text])


def _remember(connection: sa.Connection, durations: dict[int, list[float]], known: Sequence[int]) -> None:
    """`known`: the jobs that have statistics already."""
    rows = [_statistics(job, each[-REMEMBERED:]) for job, each in durations.items()]
    old = [{f"new_{name}": row[name] for name in row} for row in rows if row["job_number"] in known]
    new = [row for row in rows if row["job_number"] not in known]
    if old:
        _UPDATE_STATISTICS.each(connection, old)
    if new:
        connection.execute(_INSERT_STATISTICS, new)


def _statistics(job_number: int, durations: list[float]) -> dict[str, Any]:
    ordered = sorted(durations)
    p90 = ordered[math.ceil(0.9 * len(ordered)) - 1]
    return {"job_number": job_number, "durations": durations, "median": median(ordered), "p90": p90}


def _keep_evidence(connection: sa.Connection, late: Sequence[Outcome], now: datetime) -> None:
    if not late:
        return
    query = sa.select(runs.c.number, runs.c.id)
    found = select_where_in(connection, query, runs.c.id, {outcome.fence.run_id for outcome in late})
    numbers = {row["id"]: row["number"] for row in found}
    rows = [
        {
            "run_number": numbers[outcome.fence.run_id],
            "attempt": outcome.fence.attempt,
            "worker_id": outcome.fence.worker_id,
            "outcome": "retrying" if _is_retry(outcome) else outcome.state,
            "ended_at": outcome.ended_at,
            "received_at": now,
            "result": outcome.result,
            "error": outcome.error.model_dump(mode="json", by_alias=True) if outcome.error else None,
        }
        for outcome in late
        if outcome.fence.run_id in numbers
    ]
    if rows:
        connection.execute(sa.insert(late_results), rows)
