"""Cancelling: what has not started ends at once, or later if it may be undone; what runs gets the mark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.store import events
from agent.store.lists import fulltext
from agent.store.rows import chunks, error_columns
from agent.store.runs import moves
from agent.store.tables import ACTIVE, HELD, LEAVING, WAITING, runs
from shared.models import Run, RunError
from shared.states import RunState


def request(
    connection: sa.Connection,
    run_ids: Sequence[str],
    by: str,
    deadline: datetime | None,
    now: datetime,
    due: datetime | None,
) -> list[Run]:
    changed: list[Run] = []
    for part in chunks(run_ids):
        named = runs.c.id.in_(part)
        if due is None:
            changed += cancel_for(connection, named, by, now)
        else:
            changed += _postpone(connection, named, by, due, now)
        changed += mark_running(connection, named, by, deadline, now)
    return changed


def withdraw(connection: sa.Connection, run_ids: Sequence[str], now: datetime) -> list[Run]:
    """Runs whose cancel has not taken effect wait as they did before it was asked for."""
    back: list[Run] = []
    for part in chunks(run_ids):
        numbers = _lock(connection, sa.and_(WAITING, LEAVING, runs.c.id.in_(part)))
        back += _mark_waiting(
            connection, numbers, {"cancel_requested_at": None, "cancel_due_at": None, "cancel_by": None}, now
        )
    return back


def carry_out(connection: sa.Connection, limit: int, now: datetime) -> list[Run]:
    """The cancels that are due, earliest first."""
    due = sa.select(runs.c.number, runs.c.cancel_by).where(LEAVING, runs.c.cancel_due_at <= now)
    due = due.order_by(runs.c.cancel_due_at).limit(limit).with_for_update()
    by_whom = defaultdict(list)
    for number, by in connection.execute(due):
        by_whom[by].append(number)
    return [
        run
        for by, numbers in by_whom.items()
        for part in chunks(numbers)
        for run in cancel_for(connection, runs.c.number.in_(part), by, now)
    ]


def next_due(connection: sa.Connection) -> datetime | None:
    query = sa.select(runs.c.cancel_due_at).where(LEAVING).order_by(runs.c.cancel_due_at).limit(1)
    return connection.scalar(query)


def cancel_for(connection: sa.Connection, which: sa.ColumnElement[bool], by: str, now: datetime) -> list[Run]:
    return cancel_waiting(connection, which, "cancelled", f"cancelled by {by} while it waited", now, by=by)


def cancel_waiting(
    connection: sa.Connection,
    which: sa.ColumnElement[bool],
    kind: str,
    message: str,
    now: datetime,
    by: str | None = None,
) -> list[Run]:
    """Pending and retrying runs among `which` become cancelled, with the reason as their error."""
    numbers = _lock(connection, sa.and_(WAITING, which))
    values = {
        "finished_at": now,
        "cancel_due_at": None,
        "cancel_by": by,
        **error_columns(RunError(kind=kind, message=message)),
    }
    moves.move(connection, numbers, RunState.CANCELLED, values)
    fulltext.index_errors(connection, [(number, message) for number in numbers])
    return _tell(connection, numbers, now)


def mark_running(
    connection: sa.Connection, which: sa.ColumnElement[bool], by: str, deadline: datetime | None, now: datetime
) -> list[Run]:
    """Running runs among `which` that bear no mark yet get it. A mark is not a state: the version stays."""
    numbers = _lock(connection, sa.and_(ACTIVE, HELD, runs.c.cancel_requested_at.is_(None), which))
    for part in chunks(numbers):
        update = sa.update(runs).where(runs.c.number.in_(part))
        connection.execute(update.values(cancel_requested_at=now, cancel_deadline_at=deadline, cancel_by=by))
    return _tell(connection, numbers, now)


def _postpone(
    connection: sa.Connection, which: sa.ColumnElement[bool], by: str, due: datetime, now: datetime
) -> list[Run]:
    numbers = _lock(connection, sa.and_(WAITING, ~LEAVING, which))
    values = {"cancel_requested_at": now, "cancel_due_at": due, "cancel_by": by}
    return _mark_waiting(connection, numbers, values, now)


def _mark_waiting(
    connection: sa.Connection, numbers: Sequence[int], values: dict[str, Any], now: datetime
) -> list[Run]:
    """The state stays, the version moves: nobody may start, cancel or call back what they saw otherwise."""
    for part in chunks(numbers):
        update = sa.update(runs).where(runs.c.number.in_(part), WAITING)
        connection.execute(update.values(version=runs.c.version + 1, **values))
    return _tell(connection, numbers, now)


def _lock(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[int]:
    return list(connection.scalars(sa.select(runs.c.number).where(which).with_for_update()))


def _tell(connection: sa.Connection, numbers: Sequence[int], now: datetime) -> list[Run]:
    changed = moves.read(connection, numbers)
    events.record_runs(connection, "run.changed", changed, now)
    return changed
