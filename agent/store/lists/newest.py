"""The newest runs of few jobs, found at the ends of each job's runs, however many others' runs lie between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isqrt
from typing import Any

import sqlalchemy as sa

from agent.store.engine.prepared import Prepared
from agent.store.permissions.visibility import ACCOUNT, SEEN_BY, Condition, numbers_seen
from agent.store.tables import job_readers, jobs, runs

MOST = 2000
"""Jobs whose ends are looked at."""

_some_runs = runs.alias("some_runs")
_some = numbers_seen(ACCOUNT, SEEN_BY).limit(sa.bindparam("enough", type_=sa.Integer)).subquery()
_SEEN = Prepared(sa.select(sa.func.count().label("seen")).select_from(_some))
_THERE = Prepared(sa.select(sa.func.max(jobs.c.number).label("there")))


def sees_few(connection: sa.Connection, account_id: str, seen_by: str | None, limit: int) -> bool:
    """Whether a page is found sooner by the ends, which takes as long as the user sees jobs, than on the way down all
    runs, which takes as long as there are those of others; to look at the end of a job takes twice as long as at a run."""
    if seen_by is None:
        return False
    [jobs_there] = _THERE.rows(connection, {})
    most = min(MOST, isqrt(limit * (jobs_there["there"] or 0) // 2))
    [found] = _SEEN.rows(connection, {"account": account_id, "seen_by": seen_by, "enough": most + 1})
    return bool(found["seen"] <= most)


def seen_between(account_id: str, seen_by: str | None, start: int, below: int) -> sa.Select[int]:
    """Numbers of all runs, from the first number on and below the second, of jobs that the user sees."""
    mine = _some_runs.c.job_number.in_(numbers_seen(account_id, seen_by))
    return sa.select(_some_runs.c.number).where(mine, _some_runs.c.number >= start, _some_runs.c.number < below)


def ends(
    account_id: Any, seen_by: Any, limit: Any, conditions: Callable[[sa.FromClause], Sequence[Condition]]
) -> sa.Select[int]:
    """Numbers of the newest runs that meet the conditions: of the jobs with the newest, no more than the page has."""
    last = runs.alias("last")
    newest = sa.select(last.c.number).where(last.c.job_number == job_readers.c.job_number, *conditions(last))
    newest = newest.correlate(job_readers).order_by(last.c.number.desc()).limit(sa.literal_column("1"))
    mine = numbers_seen(account_id, seen_by).group_by(job_readers.c.job_number)
    heads = mine.order_by(newest.scalar_subquery().desc()).limit(limit).subquery("heads")
    one, other = runs.alias("one"), runs.alias("other")
    theirs = sa.select(other.c.number).where(other.c.job_number == heads.c.job_number, *conditions(other))
    theirs = theirs.correlate(heads).order_by(other.c.number.desc()).limit(limit)
    found = sa.select(one.c.number).select_from(
        heads.join(one, sa.and_(one.c.job_number == heads.c.job_number, one.c.number.in_(theirs)))
    )
    return found.order_by(one.c.number.desc()).limit(limit)
