"""Events: rows written in the transaction of what they tell, published after its commit.

SQLite has one writer, so ids are in the order of commits. On PostgreSQL two transactions could commit out of order:
there the insert takes an advisory lock, held until the commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.store import facts
from agent.store.tables import events
from shared.models import Event, EventKind, Job, Run

EVERYBODY = ""
"""The account of events that concern all accounts (workers, agents)."""


PRUNED_AT_ONCE = 5000
_PRUNED = "events_pruned_up_to"


def record(
    connection: sa.Connection, kind: EventKind, told: Iterable[tuple[str, str, dict[str, Any]]], now: datetime
) -> None:
    """Write events of one kind: (account, subject, data) each."""
    rows = [
        {"at": now, "kind": kind, "account_id": account, "subject_id": subject, "data": data}
        for account, subject, data in told
    ]
    if rows:
        connection.execute(sa.insert(events), rows)


def record_jobs(connection: sa.Connection, kind: EventKind, changed: Iterable[Job], now: datetime) -> None:
    record(connection, kind, ((job.account_id, job.id, _data(job)) for job in changed), now)


def record_runs(connection: sa.Connection, kind: EventKind, changed: Iterable[Run], now: datetime) -> None:
    record(connection, kind, ((run.account_id, run.id, _data(run)) for run in changed), now)


def _pruned_up_to(connection: sa.Connection) -> int:
    return int(facts.get(connection, _PRUNED) or 0)


def _data(resource: Job | Run) -> dict[str, Any]:
    return resource.model_dump(mode="json", by_alias=True)


def last_id(connection: sa.Connection) -> int:
    return connection.scalar(sa.select(sa.func.max(events.c.id))) or _pruned_up_to(connection)


def after(
    connection: sa.Connection, event_id: int, account_id: str | None = None, limit: int | None = None
) -> list[Event]:
    """Events behind the position, oldest first; of one account and of everybody, or all."""
    query = sa.select(events).where(events.c.id > event_id).order_by(events.c.id).limit(limit)
    if account_id is not None:
        query = query.where(events.c.account_id.in_([account_id, EVERYBODY]))
    return [Event.model_construct(**row) for row in connection.execute(query).mappings()]


def after_unless_pruned(connection: sa.Connection, account_id: str, event_id: int, limit: int) -> list[Event] | None:
    if event_id < _pruned_up_to(connection) or event_id > last_id(connection):
        return None
    return after(connection, event_id, account_id, limit)


def prune(connection: sa.Connection, keep: int) -> int:
    """Delete the oldest events, a part of those beyond the newest `keep`; returns how many went, 0 at the end."""
    pruned = _pruned_up_to(connection)
    bound = min(last_id(connection) - keep, pruned + PRUNED_AT_ONCE)
    if bound <= pruned:
        return 0
    gone = connection.execute(sa.delete(events).where(events.c.id <= bound)).rowcount
    facts.put(connection, _PRUNED, str(bound))
    return gone
