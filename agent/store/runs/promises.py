"""Promises: runs that a busy worker gets next, so that many short ones share a commit, and no worker waits for it.

A promised run is leased and fenced like one that runs, but it is pending, and reads so, until its worker has begun it. Only
first attempts without a concurrency key are promised: nothing but this lease keeps them from another worker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import Ahead, ClaimedRun, Fence
from agent.store import events
from agent.store.engine.prepared import Prepared
from agent.store.rows import Row, run_of, select_where_in
from agent.store.runs import cancels, leases, moves
from agent.store.tables import attempts, jobs, runs
from shared.errors import IllegalMove
from shared.states import RunState

_IS_PENDING = sa.and_(runs.c.number == sa.bindparam("run_number"), runs.c.state == RunState.PENDING)
_LEASE = ("attempt", "worker_id", "agent_id", "lease_until", "claimed_at")
_PROMISE = Prepared(sa.update(runs).where(_IS_PENDING, runs.c.lease_until.is_(None)), _LEASE)
_GIVE_BACK = Prepared(sa.update(runs).where(_IS_PENDING, runs.c.lease_until.is_not(None)), _LEASE)
_FORGET_ATTEMPT = Prepared(
    sa.delete(attempts).where(
        attempts.c.run_number == sa.bindparam("of_run"), attempts.c.attempt == sa.bindparam("of_attempt")
    )
)


def make(
    connection: sa.Connection, found: Sequence[Row], taken: Sequence[ClaimedRun], ahead: Ahead, lease: Mapping[str, Any]
) -> list[ClaimedRun]:
    """Promise the runs in their order, but nothing to a worker that was just given one that may take long."""
    long = {each.run.worker_id for each in taken if not ahead.may_wait(each)}
    places = (worker_id for worker_id in ahead.worker_ids if worker_id not in long)
    promised: list[ClaimedRun] = []
    written: list[dict[str, Any]] = []
    for row, worker_id in zip(found, places, strict=False):
        changes = leases.changes(row, worker_id, lease)
        started = {"started_at": lease["claimed_at"]}  # for now: the worker will say when
        claimed = leases.claimed_run({**row, **changes, **started}, promised=True)
        if row["attempt"] or row["state"] != RunState.PENDING or not ahead.may_wait(claimed):
            break  # nobody goes before it
        promised.append(claimed)
        written.append(changes)
    if written:
        _check(_PROMISE.each(connection, written), len(written))
        leases.INSERT_ATTEMPT.each(connection, written)
    return promised


def begin(connection: sa.Connection, started: Iterable[tuple[Row, datetime | None]], now: datetime) -> dict[int, Row]:
    """Of these runs those that were promised begin, each at its moment (None: nobody knows, so when it was claimed), and
    that is told; their rows then, by number."""
    begun = tell_begun(connection, started, now)
    changes = [{"run_number": number, "started_at": row["started_at"]} for number, row in begun.items()]
    moves.move_each(connection, RunState.RUNNING, changes)
    return begun


def tell_begun(
    connection: sa.Connection, started: Iterable[tuple[Row, datetime | None]], now: datetime
) -> dict[int, Row]:
    """As `begin`, for who writes what they are then."""
    begun: dict[int, Row] = {
        row["number"]: {
            **row,
            "started_at": at or row["claimed_at"],
            "state": RunState.RUNNING,
            "version": row["version"] + 1,
        }
        for row, at in started
        if row["state"] == RunState.PENDING
    }
    if begun:
        events.record_runs(connection, "run.changed", map(run_of, begun.values()), now)
    return begun


def give_back(connection: sa.Connection, fences: Sequence[Fence], now: datetime) -> None:
    rows = [row for row in leases.holders(connection, fences).values() if row["state"] == RunState.PENDING]
    if not rows:
        return
    none = dict.fromkeys(_LEASE)
    back = [{"run_number": row["number"], **none, "attempt": row["attempt"] - 1} for row in rows]
    _check(_GIVE_BACK.each(connection, back), len(back))
    _FORGET_ATTEMPT.each(connection, [{"of_run": row["number"], "of_attempt": row["attempt"]} for row in rows])
    _cancel_unwanted(connection, rows, now)


def _cancel_unwanted(connection: sa.Connection, rows: Sequence[Row], now: datetime) -> None:
    """Those that somebody asked to cancel while they were promised, and those whose job was deleted."""
    asked = defaultdict(list)
    for row in rows:
        if row["cancel_requested_at"] is not None:
            asked[row["cancel_by"]].append(row["number"])
    for by, numbers in asked.items():
        cancels.cancel_for(connection, runs.c.number.in_(numbers), by, now)
    query = sa.select(jobs.c.number).where(jobs.c.deleted_at.is_not(None))
    gone = [row["number"] for row in select_where_in(connection, query, jobs.c.number, {r["job_number"] for r in rows})]
    if gone:
        of_jobs = sa.and_(runs.c.job_number.in_(gone), runs.c.number.in_([row["number"] for row in rows]))
        cancels.cancel_waiting(connection, of_jobs, "job_deleted", "cancelled because its job was deleted", now)


def _check(changed: int, wanted: int) -> None:
    # They were read in this transaction: fewer means that a rule of ours is broken.
    if changed != wanted:
        raise IllegalMove(f"{wanted - changed} of {wanted} runs are not pending, or promised to somebody else")
