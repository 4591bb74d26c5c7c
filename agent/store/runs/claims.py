"""Claiming: which waiting run gets which worker, and the leases that say for how long.

SQLite: one writer at a time, so counting and taking are one act. PostgreSQL: the candidates are read FOR UPDATE SKIP
LOCKED, and a counter row for each concurrency key is locked before it is counted; a bare count would let two agents
take the last place both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import Ahead, ClaimedRun
from agent.store import events
from agent.store.engine.prepared import Prepared
from agent.store.lists import fulltext
from agent.store.rows import Row, error_columns
from agent.store.runs import cancels, leases, moves, offers, promises
from agent.store.tables import (
    HELD,
    LEAVING,
    WAITING,
    fires,
    jobs,
    runs,
)
from shared.models import FireOutcome, FireReason, Run
from shared.states import RunState

_Key = tuple[str, str]
"""(account, concurrency key)."""

_BY_SCHEDULE = ("schedule", "catch_up")
SLACK = 20
"""More candidates than workers, for those that a limit reached within this very claim leaves out."""

_older = runs.alias("older")
OLDER_ACTIVE = sa.exists().where(
    _older.c.job_number == runs.c.job_number, _older.c.number < runs.c.number, _older.c.finished_at.is_(None)
)
"""Another run of the same job is active and older: what a chained run waits for."""

_CANDIDATE_COLUMNS = (
    "number", "attempt", "account_id", "state", "cause", "fire_at", "job_number", "concurrency_key",
    "concurrency_limit",
)  # fmt: skip


def _ready(query: sa.Select[Any]) -> sa.Select[Any]:
    """`query` narrowed to what may start, but for the limits of concurrency keys; best first."""
    return (
        query.where(WAITING, ~LEAVING, runs.c.available_at <= sa.bindparam("now", type_=runs.c.available_at.type))
        .where(sa.or_(runs.c.chained.is_(False), ~OLDER_ACTIVE))
        .order_by(runs.c.priority.desc(), runs.c.number)
        .limit(sa.bindparam("count", type_=sa.Integer))
        .with_for_update(skip_locked=True, of=runs)
    )


_CANDIDATES = _ready(
    sa.select(*(runs.c[name] for name in _CANDIDATE_COLUMNS), jobs.c.window_end).select_from(runs.join(jobs))
)
_FIRST = Prepared(_ready(sa.select(*leases.WHOLE, jobs.c.window_end).select_from(leases.WHOLE_FROM)))
_KEYS_HELD = sa.select(runs.c.account_id, runs.c.concurrency_key).where(HELD, runs.c.concurrency_key.is_not(None))


def claim(
    connection: sa.Connection,
    worker_ids: Sequence[str],
    agent_id: str,
    lease_until: datetime,
    now: datetime,
    ahead: Ahead | None = None,
) -> list[ClaimedRun]:
    begun = offers.taken(connection)
    if begun is not None:
        events.record_runs(connection, "run.changed", [begun.run], now)
        return [begun]
    found = _choose(connection, len(worker_ids), len(ahead.worker_ids) if ahead else 0, now)
    if not found:
        return []
    lease = {"agent_id": agent_id, "lease_until": lease_until, "claimed_at": now}
    taken = _take(connection, list(zip(found, worker_ids, strict=False)), lease, now)
    if ahead is not None and len(found) > len(worker_ids):
        taken += promises.make(connection, found[len(worker_ids) :], taken, ahead, lease)
    return taken


def _take(
    connection: sa.Connection, given: Sequence[tuple[Row, str]], lease: Mapping[str, Any], now: datetime
) -> list[ClaimedRun]:
    if not given:
        return []
    # The last attempt's error stands with that attempt; the run has none until this one ends.
    changes = [
        {**leases.changes(row, worker_id, lease), "started_at": now, **error_columns(None)} for row, worker_id in given
    ]
    moves.move_each(connection, RunState.RUNNING, changes)
    leases.INSERT_ATTEMPT.each(connection, changes)
    fulltext.forget_errors(connection, [row["number"] for row, _ in given if row["attempt"]])
    taken = [leases.claimed_run({**row, **change}) for (row, _), change in zip(given, changes, strict=True)]
    events.record_runs(connection, "run.changed", sorted((each.run for each in taken), key=_number), now)
    return taken


def next_available(connection: sa.Connection, now: datetime) -> datetime | None:
    query = sa.select(runs.c.available_at).where(WAITING, runs.c.available_at > now)
    return connection.scalar(query.order_by(runs.c.available_at).limit(1))


def running_by_key(connection: sa.Connection) -> Counter[_Key]:
    """How many runs with each concurrency key run now; there are never more than workers."""
    return Counter((account, key) for account, key in connection.execute(_KEYS_HELD))


def _choose(connection: sa.Connection, places: int, ahead: int, now: datetime) -> Sequence[Row]:
    """Up to `places` runs that may start now, best first, as `claimed_run` needs them, and behind them up to `ahead`, if
    no limit has to be looked at; those whose window has closed end here."""
    first = _FIRST.rows(connection, {"now": now, "count": places + ahead})
    if not any(row["concurrency_key"] is not None or _is_closed(row, now) for row in first):
        return first  # nobody asks for more than a place: most of the time it is so
    running = running_by_key(connection)
    chosen: list[Row] = []
    while len(chosen) < places:
        wanted = places - len(chosen) + SLACK
        candidates = _candidates(connection, wanted, running, chosen, now)
        closed = [row for row in candidates if _is_closed(row, now)]
        _close(connection, closed, now)
        before = len(chosen)
        for row in candidates:
            if row not in closed and len(chosen) < places and _has_place(row, running):
                chosen.append(row)
        if len(candidates) < wanted or (len(chosen) == before and not closed):
            break
    whole = {row["number"]: row for row in leases.rows_of(connection, [row["number"] for row in chosen])}
    return [whole[row["number"]] for row in chosen]


def _candidates(
    connection: sa.Connection, count: int, running: Counter[_Key], chosen: Sequence[Row], now: datetime
) -> Sequence[Row]:
    query = _CANDIDATES.where(*(sa.not_(_is_full(key, held)) for key, held in running.items()))
    if chosen:
        query = query.where(runs.c.number.not_in([row["number"] for row in chosen]))
    return connection.execute(query, {"now": now, "count": count}).mappings().all()


def _is_full(key: _Key, count: int) -> sa.ColumnElement[bool]:
    account, name = key
    same = sa.func.coalesce(runs.c.concurrency_key, "") == name
    return sa.and_(same, runs.c.account_id == account, runs.c.concurrency_limit <= count)


def _has_place(row: Row, running: Counter[_Key]) -> bool:
    """Count the run among those with its key, if one more is allowed."""
    if row["concurrency_key"] is None:
        return True
    key = (row["account_id"], row["concurrency_key"])
    if running[key] >= row["concurrency_limit"]:
        return False
    running[key] += 1
    return True


def _is_closed(row: Row, now: datetime) -> bool:
    """After the end of its window nothing starts, no retry either; what is asked for by hand always may."""
    return row["cause"] in _BY_SCHEDULE and row["window_end"] is not None and bool(row["window_end"] < now)


def _close(connection: sa.Connection, closed: Sequence[Row], now: datetime) -> None:
    if not closed:
        return
    which = runs.c.number.in_([row["number"] for row in closed])
    message = "its job's window closed before it could start"
    cancels.cancel_waiting(connection, which, FireReason.WINDOW_CLOSED, message, now)
    for row in closed:
        values: dict[str, Any] = {"reason": FireReason.WINDOW_CLOSED}
        if row["attempt"] == 0:
            values["outcome"] = FireOutcome.SKIPPED
        fire = sa.and_(fires.c.job_number == row["job_number"], fires.c.fire_at == row["fire_at"])
        connection.execute(sa.update(fires).where(fire).values(values))


def _number(run: Run) -> int:
    return run.number
