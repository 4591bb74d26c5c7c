"""Cancelling: what has not started ends at once, what runs gets the mark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from agent.store import events, fulltext, moves
from agent.store.rows import chunks, error_columns
from agent.store.tables import ACTIVE, HELD, WAITING, runs
from shared.models import Run, RunError
from shared.states import RunState


def request(
    connection: sa.Connection, run_ids: Sequence[str], by: str, deadline: datetime | None, now: datetime
) -> list[Run]:
    changed: list[Run] = []
    for part in chunks(run_ids):
        named = runs.c.id.in_(part)
        changed += cancel_waiting(connection, named, "cancelled", f"cancelled by {by} while it waited", now, by=by)
        changed += mark_running(connection, named, by, deadline, now)
    return changed


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
    values = {"finished_at": now, "cancel_by": by, **error_columns(RunError(kind=kind, message=message))}
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


def _lock(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[int]:
    return list(connection.scalars(sa.select(runs.c.number).where(which).with_for_update()))


def _tell(connection: sa.Connection, numbers: Sequence[int], now: datetime) -> list[Run]:
    changed = moves.read(connection, numbers)
    events.record_runs(connection, "run.changed", changed, now)
    return changed
