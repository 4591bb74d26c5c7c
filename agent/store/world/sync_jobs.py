"""Jobs that sync or reset, as lists for machines have them; and what became of one."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa

from agent.core.ports.syncs import SyncEvent, SyncJob, SyncJobs
from agent.store.engine.prepared import Prepared, Row
from agent.store.lists import asked
from agent.store.lists.newest import sees_few
from agent.store.permissions.visibility import job_seen_by, numbers_seen, resource_seen_by
from agent.store.tables import connections, job_revisions, jobs, knowledge_bases, run_variants, runs
from agent.store.world.syncs import read
from shared.states import RunState

_JOB = sa.select(
    jobs.c.id, jobs.c.name, jobs.c.account_id, jobs.c.enabled, jobs.c.paused_at, jobs.c.definition, jobs.c.created_at,
    jobs.c.updated_at,
)  # fmt: skip
_KIND_OF_RUN = sa.func.coalesce(run_variants.c.kind, sa.case((runs.c.type == "kb-reset", "reset"), else_="sync"))
"""Runs that do what their job says are syncs, or the resets that the job is."""
_TOLD = sa.case((job_revisions.c.revision == 1, "created"), else_="updated")


def page(
    connection: sa.Connection, account_id: str, seen_by: str | None, job_id: str | None, limit: int, offset: int
) -> SyncJobs:
    given = {"account": account_id, "seen_by": seen_by, "job": job_id, "row_count": limit, "row_offset": offset}
    seen = seen_by is not None
    few = seen and sees_few(connection, account_id, seen_by, limit)
    rows = _page(one=job_id is not None, seen=seen, few=few).rows(connection, given)
    [found] = _count(one=job_id is not None, seen=seen).rows(connection, given)
    sources, bases = (
        {row["name"]: row["id"] for row in _named(kind, seen=seen).rows(connection, given)}
        for kind in ("connection", "knowledge_base")
    )
    return SyncJobs([_job(row) for row in rows], found["count"], sources, bases)


def events(
    connection: sa.Connection,
    account_id: str,
    seen_by: str | None,
    job_id: str,
    kind: str | None,
    states: tuple[RunState, ...] | None,
    limit: int,
    offset: int,
) -> tuple[list[SyncEvent], int] | None:
    one = {"account": account_id, "seen_by": seen_by, "job": job_id, "row_count": 1, "row_offset": 0}
    if not _page(one=True, seen=seen_by is not None).rows(connection, one):
        return None
    named = asked.listed("wanted_state", states or ())
    given = {"job": job_id, "kind": kind, "row_count": limit, "row_offset": offset, **named}
    newest, count = _events(kind is not None, None if states is None else len(states))
    rows = newest.rows(connection, given)
    [found] = count.rows(connection, given)
    told = {run.id: run for run in read(connection, [row["run_number"] for row in rows if row["run_number"]])}
    news = [SyncEvent(row["id"], row["kind"], row["at"], told.get(row["id"]), row["revision"]) for row in rows]
    return news, found["count"]


@cache
def _page(*, one: bool, seen: bool, few: bool = False) -> Prepared:
    query = _JOB.where(*_conditions(one=one, seen=seen, gathered=few)).order_by(jobs.c.name_key, jobs.c.number)
    return Prepared(query.limit(asked.count("row_count")).offset(asked.count("row_offset")))


@cache
def _count(*, one: bool, seen: bool) -> Prepared:
    conditions = _conditions(one=one, seen=seen, gathered=True)
    counting = sa.select(sa.func.count().label("count")).select_from(jobs).where(*conditions)
    return Prepared(counting)


@cache
def _named(kind: Any, *, seen: bool) -> Prepared:
    table = connections if kind == "connection" else knowledge_bases
    mine = (table.c.account_id == asked.text("account"), *resource_seen_by(table, kind, _user(seen=seen)))
    return Prepared(sa.select(table.c.name, table.c.id).where(*mine))


@lru_cache(maxsize=64)
def _events(of_kind: bool, states: int | None) -> tuple[Prepared, Prepared]:  # noqa: FBT001
    parts = [_run_events(states, of_kind=of_kind)]
    if states is None:
        parts.append(_revision_events(of_kind=of_kind))
    every = sa.union_all(*parts).subquery()
    newest = sa.select(every).order_by(every.c.at.desc(), every.c.run_number.desc(), every.c.revision.desc())
    count = sa.select(sa.func.count().label("count")).select_from(every)
    return Prepared(newest.limit(asked.count("row_count")).offset(asked.count("row_offset"))), Prepared(count)


def _conditions(*, one: bool, seen: bool, gathered: bool) -> list[sa.ColumnElement[bool]]:
    """`gathered`: the jobs that the user sees come first, and others are not looked at."""
    conditions = [jobs.c.account_id == asked.text("account"), jobs.c.deleted_at.is_(None)]
    if seen and gathered:
        conditions.append(jobs.c.number.in_(numbers_seen(asked.text("account"), asked.text("seen_by"))))
    elif seen:
        conditions += job_seen_by(asked.text("seen_by"))
    conditions.append(jobs.c.type.in_([sa.literal_column(f"'{type_}'") for type_ in ("kb-sync", "kb-reset")]))
    return [*conditions, jobs.c.id == asked.text("job")] if one else conditions


def _run_events(states: int | None, *, of_kind: bool) -> sa.Select[Any]:
    query = (
        sa.select(
            runs.c.id, _KIND_OF_RUN.label("kind"), runs.c.created_at.label("at"), runs.c.number.label("run_number"),
            sa.null().label("revision"),
        )
        .select_from(runs.outerjoin(run_variants, run_variants.c.run_number == runs.c.number))
        .where(runs.c.job_number == _number_of_job())
    )  # fmt: skip
    if of_kind:
        query = query.where(asked.text("kind") == _KIND_OF_RUN)
    if states is not None:
        query = query.where(asked.among(runs.c.state, "wanted_state", states))
    return query


def _revision_events(*, of_kind: bool) -> sa.Select[Any]:
    query = (
        sa.select(
            (jobs.c.id + "." + sa.cast(job_revisions.c.revision, sa.Text)).label("id"), _TOLD.label("kind"),
            job_revisions.c.created_at.label("at"), sa.null().label("run_number"), job_revisions.c.revision,
        )
        .select_from(job_revisions.join(jobs, jobs.c.number == job_revisions.c.job_number))
        .where(job_revisions.c.job_number == _number_of_job())
    )  # fmt: skip
    return query.where(asked.text("kind") == _TOLD) if of_kind else query


def _number_of_job() -> sa.ScalarSelect[int]:
    named = jobs.alias("named")
    return sa.select(named.c.number).where(named.c.id == asked.text("job")).scalar_subquery()


def _job(row: Row) -> SyncJob:
    definition = row["definition"] if isinstance(row["definition"], dict) else {}
    return SyncJob(
        id=row["id"],
        name=row["name"],
        account_id=row["account_id"],
        is_active=bool(row["enabled"]) and row["paused_at"] is None,
        interval_type=definition.get("interval_type", "none"),
        interval=definition.get("interval"),
        timezone=definition.get("timezone", "UTC"),
        data=definition.get("data", {}),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _user(*, seen: bool) -> sa.BindParameter[str] | None:
    return asked.text("seen_by") if seen else None
