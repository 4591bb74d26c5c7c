"""Sentinels: what they are judged from, what came of it, and what the world sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.sentinels.records import Judged, Opened
from agent.store import events, facts
from agent.store.permissions.visibility import job_seen_by
from agent.store.rows import chunks, select_where_in
from agent.store.tables import OPEN, jobs, sentinels, watches
from shared.errors import NotFound
from shared.models import Sentinel, SentinelKind

CURSOR = "sentinels_cursor"

_SENTINEL = sa.select(sentinels, jobs.c.id.label("job_id"), jobs.c.name.label("job_name")).select_from(
    sentinels.join(jobs)
)


def write(connection: sa.Connection, judged: Sequence[Judged], cursor: int | None, now: datetime) -> None:
    """All of a look in one transaction, with the position up to which it has heard (None: as before). Of one kind a job
    has one open sentinel at most: what was open is closed first, and what opened and closed within the look is born
    closed."""
    _write_watches(connection, judged)
    over = {each.sentinel_id: each.because for job in judged for each in job.closed}
    opened = [(job.job_number, new) for job in judged for new in job.opened]
    _close(connection, {known: over[known] for known in over.keys() - {new.id for _, new in opened}}, now)
    _insert(connection, opened, over, now)
    if cursor is not None:
        facts.put(connection, CURSOR, str(cursor))


def list_page(
    connection: sa.Connection,
    account_id: str,
    *,
    job_id: str | None,
    kind: SentinelKind | None,
    is_open: bool | None,
    before: int | None,
    limit: int,
    seen_by: str | None = None,
) -> list[Sentinel]:
    """Newest first."""
    query = _SENTINEL.where(*job_seen_by(seen_by)).order_by(sentinels.c.number.desc()).limit(limit)
    if job_id is None:
        query = query.where(sentinels.c.account_id == account_id)
    else:
        # Of the job alone, whose few are found by an index; of the account there may be many.
        job = sa.select(jobs.c.number).where(jobs.c.id == job_id, jobs.c.account_id == account_id)
        query = query.where(sentinels.c.job_number == job.scalar_subquery())
    if kind is not None:
        query = query.where(sentinels.c.kind == kind)
    if is_open is not None:
        query = query.where(OPEN if is_open else ~OPEN)
    if before is not None:
        query = query.where(sentinels.c.number < before)
    return [Sentinel.model_validate(row) for row in connection.execute(query).mappings()]


def get(connection: sa.Connection, account_id: str, sentinel_id: str) -> Sentinel:
    mine = (sentinels.c.id == sentinel_id, sentinels.c.account_id == account_id)
    row = connection.execute(_SENTINEL.where(*mine)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no sentinel {sentinel_id}")
    return Sentinel.model_validate(row)


def acknowledge(connection: sa.Connection, account_id: str, sentinel_id: str, by: str, now: datetime) -> Sentinel:
    """Somebody knows. Who did it first, and when, stays; a closed one is left as it is."""
    found = get(connection, account_id, sentinel_id)
    if found.acknowledged_at is not None or found.closed_at is not None:
        return found
    one = sa.update(sentinels).where(sentinels.c.number == found.number, sentinels.c.acknowledged_at.is_(None))
    connection.execute(one.values(acknowledged_at=now, acknowledged_by=by))
    _tell(connection, "sentinel.changed", [found.id], now)
    return get(connection, account_id, sentinel_id)


def count_open(connection: sa.Connection, account_id: str) -> dict[tuple[SentinelKind, bool], int]:
    """By kind, and whether somebody has acknowledged it."""
    known = sentinels.c.acknowledged_at.is_not(None)
    query = sa.select(sentinels.c.kind, known, sa.func.count()).where(sentinels.c.account_id == account_id, OPEN)
    rows = connection.execute(query.group_by(sentinels.c.kind, known))
    return {(kind, bool(is_known)): count for kind, is_known, count in rows}


def open_kinds(connection: sa.Connection, job_numbers: Sequence[int]) -> dict[int, list[SentinelKind]]:
    """Of each job that has open ones, their kinds in the order in which they opened."""
    found: dict[int, list[SentinelKind]] = {}
    query = sa.select(sentinels.c.number, sentinels.c.job_number, sentinels.c.kind).where(OPEN)
    rows = select_where_in(connection, query, sentinels.c.job_number, job_numbers)
    for row in sorted(rows, key=lambda row: int(row["number"])):
        found.setdefault(row["job_number"], []).append(row["kind"])
    return found


def prune(connection: sa.Connection, before: datetime, limit: int) -> int:
    """Delete closed ones, at most `limit`; returns how many went."""
    old = sa.select(sentinels.c.number).where(sentinels.c.closed_at < before).order_by(sentinels.c.closed_at)
    return connection.execute(sa.delete(sentinels).where(sentinels.c.number.in_(old.limit(limit)))).rowcount


def _write_watches(connection: sa.Connection, judged: Sequence[Judged]) -> None:
    if not judged:
        return
    numbers = sa.select(watches.c.job_number)
    found = select_where_in(connection, numbers, watches.c.job_number, (each.job_number for each in judged))
    known = {row["job_number"] for row in found}
    names = [column.name for column in watches.columns if column is not watches.c.job_number]
    rows = [{"job_number": each.job_number} | {name: getattr(each.watch, name) for name in names} for each in judged]
    if new := [row for row in rows if row["job_number"] not in known]:
        connection.execute(sa.insert(watches), new)
    if old := [row for row in rows if row["job_number"] in known]:
        values = {
            name: sa.bindparam(f"new_{name}", type_=watches.c[name].type) for name in old[0] if name != "job_number"
        }
        update = sa.update(watches).where(watches.c.job_number == sa.bindparam("of_job")).values(values)
        connection.execute(update, [_renamed(row) for row in old])


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    """A parameter may not be called as a column that it sets."""
    return {"of_job" if name == "job_number" else f"new_{name}": value for name, value in row.items()}


def _insert(
    connection: sa.Connection, opened: Sequence[tuple[int, Opened]], over: Mapping[str, str], now: datetime
) -> None:
    if not opened:
        return
    query = sa.select(jobs.c.number, jobs.c.account_id)
    owners = select_where_in(connection, query, jobs.c.number, {job_number for job_number, _ in opened})
    accounts = {row["number"]: row["account_id"] for row in owners}
    rows = [
        {
            "job_number": job_number,
            "account_id": accounts[job_number],
            "opened_at": now,
            "closed_at": now if new.id in over else None,
            "closed_because": over.get(new.id),
            **asdict(new),
        }
        for job_number, new in opened
    ]
    connection.execute(sa.insert(sentinels), rows)
    _tell(connection, "sentinel.opened", [new.id for _, new in opened], now)
    _tell(connection, "sentinel.closed", [new.id for _, new in opened if new.id in over], now)


def _close(connection: sa.Connection, closed: Mapping[str, str], now: datetime) -> None:
    if not closed:
        return
    update = sa.update(sentinels).where(sentinels.c.id == sa.bindparam("of_sentinel"), OPEN)
    update = update.values(closed_at=now, closed_because=sa.bindparam("because"))
    connection.execute(update, [{"of_sentinel": known, "because": because} for known, because in closed.items()])
    _tell(connection, "sentinel.closed", list(closed), now)


def _tell(connection: sa.Connection, kind: Any, ids: Sequence[str], now: datetime) -> None:
    for part in chunks(ids):
        rows = connection.execute(_SENTINEL.where(sentinels.c.id.in_(part)).order_by(sentinels.c.number)).mappings()
        told = [(row["account_id"], Sentinel.model_validate(row)) for row in rows]
        data = ((account, each.id, each.model_dump(mode="json", by_alias=True)) for account, each in told)
        events.record(connection, kind, data, now)
