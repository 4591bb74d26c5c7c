"""What became of due moments, written: ledger rows, runs and the next fire times, in one transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.records import FireRow, SettledJob
from agent.store import events
from agent.store.engine.prepared import Lookup, Prepared
from agent.store.fires import backlog
from agent.store.fires.fires import FIRE
from agent.store.identity import limits
from agent.store.rows import JOB, Row, chunks, job_of, select_where_in
from agent.store.runs import cancels, runs
from agent.store.tables import fires, jobs
from agent.store.tables import runs as run_table
from agent.store.told import fire_data
from shared.durations import parse_duration
from shared.models import FireOutcome, FireReason, Run

_Pair = tuple[SettledJob, Row]
_Moment = tuple[int, datetime]
"""(job number, moment of a fire): the ledger's key."""
_LedgerRow = Row | dict[str, Any]
_WRITTEN = (
    "account_id", "job_number", "fire_at", "outcome", "reason", "run_id", "stands_in_fire_at", "count", "until",
    "decided_at",
)  # fmt: skip
"""The columns that a new row of the ledger has; see `_ledger_row`."""
_INSERT = Prepared(sa.insert(fires).returning(fires.c.id), _WRITTEN)
_AT_MOMENT = Lookup(
    sa.select(fires.c.job_number, fires.c.fire_at).where(
        fires.c.fire_at == sa.bindparam("at", type_=fires.c.fire_at.type)
    ),
    fires.c.job_number,
)
_MARKS = ("next_fire_at", "high_water", "zone_data_version")
_MOVE_MARKS = Prepared(
    sa.update(jobs)
    .where(jobs.c.number == sa.bindparam("of_job"))
    .values({name: sa.bindparam(f"new_{name}", type_=jobs.c[name].type) for name in _MARKS})
)
_UNSET = dict.fromkeys(column.name for column in fires.c)
_STANDING_COLUMNS = (
    "number", "id", "account_id", "version", "high_water", "next_fire_at", "zone_data_version", "due_at",
)  # fmt: skip
_STANDING = Lookup(
    sa.select(*(jobs.c[name] for name in _STANDING_COLUMNS)).where(jobs.c.deleted_at.is_(None)).with_for_update(),
    jobs.c.id,
)
_ACTIVE_OF = Lookup(
    sa.select(run_table.c.job_number).where(run_table.c.finished_at.is_(None)).distinct(), run_table.c.job_number
)


@dataclass(frozen=True, slots=True)
class _Decision:
    job: Row
    fire: FireRow

    @property
    def moment(self) -> _Moment:
        return self.job["number"], self.fire.fire_at


def settle(connection: sa.Connection, settled: Sequence[SettledJob], now: datetime) -> list[Run]:
    pairs = _unmoved(connection, settled)
    news = _within_limits(connection, _news(connection, pairs), now)
    starting = {each.job["number"] for each in news if each.fire.run is not None}
    for job, row in pairs:
        if job.cancel_running and row["number"] in starting:
            _cancel_active(connection, row, now)
    created = runs.insert(connection, [each.fire.run for each in news if each.fire.run is not None], now)
    written = _write_ledger(connection, news, now)
    _move_marks(connection, pairs)
    _record(connection, written, {row["number"]: job.next_fire_at for job, row in pairs}, now)
    _tell_quiet(connection, pairs, now)
    _tell_held(connection, news, now)
    return created


def tell(
    connection: sa.Connection, moments: Iterable[_Moment], next_fires: dict[int, datetime | None], now: datetime
) -> None:
    """A ledger row's event carries `nextRunAt` too where it moved, so that nobody has to read the job again after each
    fire."""
    _record(connection, _at_moments(connection, FIRE, moments), next_fires, now)


def _record(
    connection: sa.Connection, written: Iterable[_LedgerRow], next_fires: dict[int, datetime | None], now: datetime
) -> None:
    told = []
    for fire in written:
        data = fire_data(fire)
        if fire["job_number"] in next_fires:
            data["nextRunAt"] = _text(next_fires[fire["job_number"]])
        told.append((fire["account_id"], fire["job_id"], data))
    events.record(connection, "fire.recorded", told, now)


def _unmoved(connection: sa.Connection, settled: Sequence[SettledJob]) -> list[_Pair]:
    """Those that are as they were when it was decided; what was decided ahead must besides be due now, and alone."""
    found = {row["id"]: row for row in _STANDING.rows(connection, (job.job_id for job in settled))}
    pairs = [(job, found[job.job_id]) for job in settled if job.job_id in found]
    ahead = [row["number"] for job, row in pairs if job.foreseen_for is not None]
    active = {row["job_number"] for row in _ACTIVE_OF.rows(connection, ahead)}
    return [
        (job, row)
        for job, row in pairs
        if row["version"] == job.version
        and (job.foreseen_for is None or (row["due_at"] == job.foreseen_for and row["number"] not in active))
    ]


def _at_moments(connection: sa.Connection, query: sa.Select[Any], moments: Iterable[_Moment]) -> list[Row]:
    """Ledger rows of exactly these moments: one step in the index for each. Joined, for SQLite answers `(a, b) IN
    (VALUES …)` by a walk through the whole ledger."""
    return [row for part in chunks(moments) for row in connection.execute(_joined(query, part)).mappings()]


def _joined(query: sa.Select[Any], moments: Sequence[_Moment]) -> sa.Select[Any]:
    columns = (sa.column(name, fires.c[name].type) for name in ("job_number", "fire_at"))
    wanted = sa.values(*columns, name="wanted").data(moments).cte("wanted")
    same = sa.and_(fires.c.job_number == wanted.c.job_number, fires.c.fire_at == wanted.c.fire_at)
    return query.join(wanted, same)


def _news(connection: sa.Connection, pairs: Sequence[_Pair]) -> list[_Decision]:
    """The rows that the ledger does not have yet: a moment is settled once."""
    decisions = [_Decision(row, fire) for job, row in pairs for fire in job.rows]
    known = _known(connection, decisions)
    news = {decision.moment: decision for decision in reversed(decisions) if decision.moment not in known}
    return list(reversed(news.values()))


def _known(connection: sa.Connection, decisions: Sequence[_Decision]) -> set[_Moment]:
    of_jobs: dict[datetime, list[int]] = defaultdict(list)
    for decision in decisions:
        of_jobs[decision.fire.fire_at].append(decision.job["number"])
    found = (row for at, numbers in of_jobs.items() for row in _AT_MOMENT.rows(connection, numbers, at=at))
    return {(row["job_number"], row["fire_at"]) for row in found}


def _within_limits(connection: sa.Connection, news: Sequence[_Decision], now: datetime) -> list[_Decision]:
    """Where an account has as many waiting runs as it may, its fires are skipped, and say so."""
    accounts = sorted({each.job["account_id"] for each in news if each.fire.run is not None})
    rooms = {account: limits.room_for(connection, account, "waiting_runs", now) for account in accounts}
    kept = []
    for each in news:
        room = rooms.get(each.job["account_id"])
        if each.fire.run is None or room is None:
            kept.append(each)
        elif room > 0:
            rooms[each.job["account_id"]] = room - 1
            kept.append(each)
        else:
            outcome, reason = FireOutcome.SKIPPED, FireReason.ACCOUNT_QUEUE_FULL
            kept.append(replace(each, fire=replace(each.fire, run=None, outcome=outcome, reason=reason)))
    return kept


def _cancel_active(connection: sa.Connection, job: Row, now: datetime) -> None:
    """All but the caught-up run that an earlier part of this same settlement has made: it goes first."""
    earlier = sa.or_(run_table.c.created_at != now, run_table.c.cause != "catch_up")
    of_job = sa.and_(run_table.c.finished_at.is_(None), run_table.c.job_number == job["number"], earlier)
    definition = connection.scalar(sa.select(jobs.c.definition).where(jobs.c.number == job["number"])) or {}
    grace = parse_duration(definition["policies"]["kill_grace"])
    cancels.cancel_waiting(connection, of_job, "replaced", "replaced by the next fire of its job", now)
    cancels.mark_running(connection, of_job, "the next fire of its job", now + grace, now)


def _write_ledger(connection: sa.Connection, news: Sequence[_Decision], now: datetime) -> list[_LedgerRow]:
    """The rows as they are read from then on."""
    if not news:
        return []
    rows = [_ledger_row(each.job, each.fire, now) for each in news]
    return [
        {**_UNSET, **row, "job_id": each.job["id"], **_INSERT.rows(connection, row)[0]}
        for each, row in zip(news, rows, strict=True)
    ]


def _ledger_row(job: Row, fire: FireRow, now: datetime) -> dict[str, Any]:
    return {
        "account_id": job["account_id"],
        "job_number": job["number"],
        "fire_at": fire.fire_at,
        "outcome": fire.outcome,
        "reason": fire.reason,
        "run_id": fire.run.id if fire.run else None,
        "stands_in_fire_at": fire.stands_in_fire_at,
        "count": fire.count,
        "until": fire.until,
        "decided_at": now,
    }


def _move_marks(connection: sa.Connection, pairs: Sequence[_Pair]) -> None:
    """Next fire, the zone data that it was computed with, and the high-water mark, which never goes back."""
    if not pairs:
        return
    _MOVE_MARKS.each(
        connection,
        [
            {
                "of_job": row["number"],
                "new_next_fire_at": job.next_fire_at,
                "new_high_water": max(job.high_water, row["high_water"]),
                "new_zone_data_version": job.zone_data_version or row["zone_data_version"],
            }
            for job, row in pairs
        ],
    )


def _tell_quiet(connection: sa.Connection, pairs: Sequence[_Pair], now: datetime) -> None:
    quiet = [row["number"] for job, row in pairs if not job.rows and job.next_fire_at != row["next_fire_at"]]
    if quiet:
        changed = [job_of(row) for row in select_where_in(connection, JOB, jobs.c.number, quiet)]
        events.record_jobs(connection, "job.changed", changed, now)


def _tell_held(connection: sa.Connection, news: Sequence[_Decision], now: datetime) -> None:
    held = [each.job for each in news if each.fire.reason is FireReason.AWAITING_OPERATOR]
    for account, count in Counter(job["account_id"] for job in held).items():
        of = {job["id"]: None for job in held if job["account_id"] == account}
        backlog.tell(connection, account, "held", None, count, list(of), now)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
