"""Creating runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from agent.core.records import NewRun
from agent.store import events
from agent.store.engine.prepared import Prepared
from agent.store.identity import limits
from agent.store.rows import Row, run_of
from agent.store.runs import making, offers, variants
from agent.store.tables import runs
from shared.models import Run

_INSERT = Prepared(sa.insert(runs), making.COLUMNS)


def insert_asked(connection: sa.Connection, new: Sequence[NewRun], now: datetime) -> list[Run]:
    """Those that somebody asks for: LimitReached where the account has as many that wait as it may."""
    return insert(connection, new, now, bounded=True)


def insert(connection: sa.Connection, new: Sequence[NewRun], now: datetime, *, bounded: bool = False) -> list[Run]:
    """Pending runs, numbered in the order given. NotFound if a job or revision is not there."""
    if not new:
        return []
    owners = making.jobs_of(connection, new, offers.open_at(connection, new))
    if bounded:
        _check_room(connection, new, owners, now)
    rows = making.rows_of(connection, new, owners, now)
    numbers = offers.insert(connection, new, rows, owners) or _INSERT.numbers(connection, rows)
    created = [
        run_of(making.whole(row, owners[run.job_id], number))
        for run, row, number in zip(new, rows, numbers, strict=True)
    ]
    variants.write(connection, zip(numbers, new, strict=True))
    events.record_runs(connection, "run.created", created, now)
    return created


def _check_room(connection: sa.Connection, new: Sequence[NewRun], owners: Mapping[str, Row], now: datetime) -> None:
    adding: dict[str, int] = defaultdict(int)
    known = {row["account_id"]: limits.read(row) for row in owners.values()}
    for run in new:
        adding[owners[run.job_id]["account_id"]] += 1
    for account in sorted(adding):
        limits.check(connection, account, "waiting_runs", now, adding[account], known[account])
