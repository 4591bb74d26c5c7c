"""Pages of runs for machines: by state, by knowledge base, by age, from the newest down.

Each way to the page is one that an index has in the order of the page, so that what it costs does not grow with how
many runs there are: state by state, merged; or, where a knowledge base has few runs, those of its jobs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from agent.core.ports.listing import ListedRun, ListingQuery
from agent.store.tables import accounts, job_uses, knowledge_bases, runs, users
from agent.store.uses import KNOWLEDGE_BASE
from agent.store.visibility import run_seen_by
from shared.errors import NotFound
from shared.states import RunState

FEW_JOBS = 500
FEW_RUNS = 5000
SET_BACK = timedelta(days=1)
"""How far a clock that was set back may have run ahead: runs are numbered as they are made, their times are not."""

_Condition = sa.ColumnElement[bool]
_LISTED = sa.select(
    runs.c.number, runs.c.id, runs.c.type, runs.c.state, runs.c.created_at, runs.c.started_at, runs.c.finished_at,
    runs.c.job_number, runs.c.revision, users.c.handle,
).select_from(runs.outerjoin(users, users.c.id == runs.c.owner_id))  # fmt: skip
_BASES = (
    sa.select(job_uses.c.job_number, job_uses.c.revision, knowledge_bases.c.number, job_uses.c.name)
    .join(
        knowledge_bases,
        sa.and_(knowledge_bases.c.account_id == job_uses.c.account_id, knowledge_bases.c.name == job_uses.c.name),
    )
    .where(job_uses.c.kind == KNOWLEDGE_BASE)
    .order_by(knowledge_bases.c.number)
)


def page(connection: sa.Connection, query: ListingQuery) -> list[ListedRun]:
    names = _base_names(connection, query)
    if names == []:
        return []
    ways = _ways(connection, query, names)
    found = {number for way in ways for number in connection.scalars(_numbers(query, way))}
    chosen = sorted(found, reverse=True)[: query.limit]
    rows = connection.execute(_LISTED.where(runs.c.number.in_(chosen)).order_by(runs.c.number.desc())).mappings().all()
    bases = _bases(connection, {row["job_number"] for row in rows})
    return [_listed(row, bases[row["job_number"], row["revision"]]) for row in rows]


def account_number(connection: sa.Connection, account_id: str) -> int:
    number = connection.scalar(sa.select(accounts.c.number).where(accounts.c.id == account_id))
    if number is None:
        raise NotFound(f"there is no account '{account_id}'")
    return int(number)


def first_since(connection: sa.Connection, since: datetime) -> int:
    """A number below which no run is as young, found by halves; with room for a clock that was set back."""
    lowest, highest = connection.execute(sa.select(sa.func.min(runs.c.number), sa.func.max(runs.c.number))).one()
    if lowest is None:
        return 0
    low, high = lowest, highest + 1
    at = sa.select(runs.c.number, runs.c.created_at).order_by(runs.c.number).limit(1)
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(at.where(runs.c.number >= middle)).one()
        if row.created_at < since - SET_BACK:
            low = row.number + 1
        else:
            high = middle
    return int(low)


def jobs_with_few_runs(connection: sa.Connection, of_jobs: sa.Select[Any]) -> list[int] | None:
    """The jobs, if they are few and have few runs: then these are looked through, sooner than all there are."""
    found = list(connection.scalars(of_jobs.limit(FEW_JOBS + 1)))
    if len(found) > FEW_JOBS:
        return None
    theirs = sa.select(runs.c.number).where(runs.c.job_number.in_(found)).limit(FEW_RUNS + 1).subquery()
    count = connection.scalar(sa.select(sa.func.count()).select_from(theirs)) or 0
    return found if count <= FEW_RUNS else None


def _base_names(connection: sa.Connection, query: ListingQuery) -> list[str] | None:
    """Of the knowledge bases that the caller names and that there are; None: it names none."""
    mine = knowledge_bases.c.account_id == query.account_id
    if query.base_numbers is not None:
        wanted = knowledge_bases.c.number.in_(query.base_numbers)
    elif query.base_names is not None:
        wanted = knowledge_bases.c.name.in_(query.base_names)
    else:
        return None
    return list(connection.scalars(sa.select(knowledge_bases.c.name).where(mine, wanted)))


def _ways(connection: sa.Connection, query: ListingQuery, names: Sequence[str] | None) -> list[list[_Condition]]:
    """Conditions of statements that together find all of the page."""
    common = [runs.c.account_id == query.account_id, *run_seen_by(query.seen_by)]
    if query.before is not None:
        common.append(runs.c.number < query.before)
    if query.since is not None:
        common.append(runs.c.created_at >= query.since)
        common.append(runs.c.number >= first_since(connection, query.since))
    if query.run_id is not None:
        common.append(runs.c.id == query.run_id)
    if names is not None:
        common.append(_works_with(names))
        few = _few_jobs(connection, query.account_id, names)
        if few is not None:
            states = [] if query.states is None else [runs.c.state.in_(query.states)]
            return [[*common, *states, runs.c.job_number.in_(few)]]
    if query.states is None:
        return [common]
    return [[*common, runs.c.state == state] for state in query.states]


def _numbers(query: ListingQuery, way: Sequence[_Condition]) -> sa.Select[Any]:
    return sa.select(runs.c.number).where(*way).order_by(runs.c.number.desc()).limit(query.limit)


def _works_with(names: Sequence[str]) -> _Condition:
    return (
        sa.exists()
        .where(
            job_uses.c.job_number == runs.c.job_number,
            job_uses.c.revision == runs.c.revision,
            job_uses.c.kind == KNOWLEDGE_BASE,
            job_uses.c.name.in_(names),
        )
        .correlate(runs)
    )


def _few_jobs(connection: sa.Connection, account_id: str, names: Sequence[str]) -> list[int] | None:
    """The jobs that ever worked with them."""
    of_bases = (
        sa.select(job_uses.c.job_number)
        .where(job_uses.c.account_id == account_id, job_uses.c.kind == KNOWLEDGE_BASE, job_uses.c.name.in_(names))
        .distinct()
    )
    return jobs_with_few_runs(connection, of_bases)


def _bases(connection: sa.Connection, job_numbers: set[int]) -> defaultdict[tuple[int, int], list[tuple[int, str]]]:
    """By job and revision."""
    found: defaultdict[tuple[int, int], list[tuple[int, str]]] = defaultdict(list)
    for row in connection.execute(_BASES.where(job_uses.c.job_number.in_(job_numbers))):
        found[row.job_number, row.revision].append((row.number, row.name))
    return found


def _listed(row: sa.RowMapping, bases: Sequence[tuple[int, str]]) -> ListedRun:
    return ListedRun(
        number=row["number"],
        id=row["id"],
        type=row["type"],
        state=RunState(row["state"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        owner=row["handle"],
        bases=tuple(bases),
    )
