"""Events: rows written in the transaction of what they tell, published after its commit.

Within a transaction they are gathered and, at its end, numbered and written by one statement: what is published is
what was gathered, and need not be read again. SQLite has one writer, so ids are in the order of commits. On PostgreSQL
two transactions could commit out of order: there `write_recorded` takes an advisory lock, held until the commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.store import facts
from agent.store.engine.prepared import Prepared
from agent.store.tables import events
from agent.store.told import data_of
from agent.store.types import from_json, to_json
from shared.models import Event, EventKind, Job, Run
from shared.models.built import built

EVERYBODY = ""
"""The account of events that concern all accounts (workers, agents)."""


PRUNED_AT_ONCE = 1000
_PRUNED = "events_pruned_up_to"
_RECORDED = "recorded_events"
"""Where a connection keeps what its transaction has told so far."""

_LAST = Prepared(sa.select(sa.func.max(events.c.id).label("last")))
_INSERT = Prepared(
    sa.insert(events).values(data=sa.bindparam("written", type_=sa.Text)),
    ("id", "at", "kind", "account_id", "subject_id"),
)


def begin(connection: sa.Connection) -> None:
    """A transaction begins: nothing is told yet."""
    connection.info[_RECORDED] = []


def mark(connection: sa.Connection) -> int:
    """The place to go `back` to if what follows is taken back."""
    return len(connection.info[_RECORDED])


def back(connection: sa.Connection, place: int) -> None:
    del connection.info[_RECORDED][place:]


def since(connection: sa.Connection, place: int) -> list[dict[str, Any]]:
    """What was told behind that place."""
    told: list[dict[str, Any]] = connection.info[_RECORDED][place:]
    return told


def record(
    connection: sa.Connection, kind: EventKind, told: Iterable[tuple[str, str, dict[str, Any]]], now: datetime
) -> None:
    """Tell events of one kind: (account, subject, data) each. They are written by `write_recorded`."""
    connection.info[_RECORDED] += [
        {"at": now, "kind": kind, "account_id": account, "subject_id": subject, "data": data}
        for account, subject, data in told
    ]


def write_recorded(connection: sa.Connection, known: int) -> list[Event]:
    """The last act of a transaction; every event behind `known`, the id of the last that was published."""
    recorded = connection.info[_RECORDED]
    if not recorded:
        return []
    last = last_id(connection)
    news = [_numbered(number, told) for number, told in enumerate(recorded, last + 1)]
    _INSERT.each(connection, [row for _, row in news])
    # An agent has its store for itself; should another have written meanwhile, nothing of it is left out.
    return after(connection, known) if last != known else [event for event, _ in news]


def _numbered(number: int, told: dict[str, Any]) -> tuple[Event, dict[str, Any]]:
    """The event as it is published, and its row."""
    written = to_json(told["data"])
    row = {"id": number, **told}
    if not written.isascii():  # what cannot be written is not published either
        row["data"] = from_json(written)
    return built(Event, row), {**row, "written": written}


def record_jobs(connection: sa.Connection, kind: EventKind, changed: Iterable[Job], now: datetime) -> None:
    record(
        connection, kind, ((job.account_id, job.id, job.model_dump(mode="json", by_alias=True)) for job in changed), now
    )


def record_runs(connection: sa.Connection, kind: EventKind, changed: Iterable[Run], now: datetime) -> None:
    record(connection, kind, ((run.account_id, run.id, data_of(run)) for run in changed), now)


def _pruned_up_to(connection: sa.Connection) -> int:
    return int(facts.get(connection, _PRUNED) or 0)


def last_id(connection: sa.Connection) -> int:
    return _LAST.rows(connection, {})[0]["last"] or _pruned_up_to(connection)


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


def prune(connection: sa.Connection, keep: int, before: datetime | None = None) -> int:
    """Delete the oldest events, a part of those beyond the newest `keep` or from before that moment; returns how many
    went, 0 at the end."""
    pruned = _pruned_up_to(connection)
    bound = min(max(last_id(connection) - keep, _last_before(connection, pruned, before)), pruned + PRUNED_AT_ONCE)
    if bound <= pruned:
        return 0
    gone = connection.execute(sa.delete(events).where(events.c.id <= bound)).rowcount
    facts.put(connection, _PRUNED, str(bound))
    return gone


def _last_before(connection: sa.Connection, pruned: int, before: datetime | None) -> int:
    """Of the oldest few."""
    if before is None:
        return 0
    oldest = sa.select(events.c.id, events.c.at).where(events.c.id > pruned).order_by(events.c.id)
    few = oldest.limit(PRUNED_AT_ONCE).subquery()
    return connection.scalar(sa.select(sa.func.max(few.c.id)).where(few.c.at < before)) or 0
