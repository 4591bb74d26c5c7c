"""Pages of runs without a filter: by their numbers, of all or of one job. They are what is asked for most, so the
statements are made once for each shape of a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa

from agent.core.records import RunQuery
from agent.store.engine.prepared import Prepared
from agent.store.lists import asked
from agent.store.lists.newest import ends, sees_few
from agent.store.permissions.visibility import Condition
from agent.store.rows import RUN, Row
from agent.store.tables import jobs, runs

_LIMIT = asked.count("row_count")


@dataclass(frozen=True, slots=True)
class _Shape:
    seen: bool
    job: bool
    before: bool
    after: bool
    from_oldest: bool
    """Which numbers are taken where there are more than the page has."""
    ascending: bool
    ends: bool
    """By the jobs that the user sees."""


def is_plain(query: RunQuery) -> bool:
    return query.where is None and query.sort in ("number", "-number")


def rows(connection: sa.Connection, query: RunQuery, *, upwards: bool) -> Sequence[Row]:
    """In the order that is asked for; `upwards`: the next above `after`, instead of the newest."""
    shape = _Shape(
        seen=query.seen_by is not None,
        job=query.job_id is not None,
        before=query.before is not None,
        after=query.after is not None,
        from_oldest=upwards or query.sort == "number",
        ascending=query.sort == "number",
        ends=_has_few(connection, query),
    )
    given = {
        "account": query.account_id,
        "seen_by": query.seen_by,
        "job": query.job_id,
        "before_number": query.before,
        "after_number": query.after,
        "row_count": query.limit,
    }
    return _statement(shape).rows(connection, given)


def _has_few(connection: sa.Connection, query: RunQuery) -> bool:
    """A page of the newest runs of a few jobs: found at the ends of their indexes, however many others there are."""
    is_newest = query.after is None and query.job_id is None and query.sort == "-number"
    return is_newest and sees_few(connection, query.account_id, query.seen_by, query.limit)


@lru_cache(maxsize=64)
def _statement(shape: _Shape) -> Prepared:
    """The numbers come first, mostly from indexes alone; then the rows of these."""
    those = RUN.where(runs.c.number.in_(sa.select(_numbers(shape).subquery().c.number)))
    return Prepared(those.order_by(runs.c.number if shape.ascending else runs.c.number.desc()))


def _numbers(shape: _Shape) -> sa.Select[int]:
    if shape.ends:
        return ends(asked.text("account"), asked.text("seen_by"), _LIMIT, lambda table: _between(table, shape))
    conditions = [*asked.of_account(seen=shape.seen), *_between(runs, shape)]
    if shape.job:
        job = sa.select(jobs.c.number).where(jobs.c.id == asked.text("job")).scalar_subquery()
        conditions.append(runs.c.job_number == job)
    numbers = sa.select(runs.c.number).where(*conditions).limit(_LIMIT)
    return numbers.order_by(runs.c.number if shape.from_oldest else runs.c.number.desc())


def _between(table: sa.FromClause, shape: _Shape) -> list[Condition]:
    conditions: list[Condition] = []
    if shape.before:
        conditions.append(table.c.number < asked.count("before_number"))
    if shape.after:
        conditions.append(table.c.number > asked.count("after_number"))
    return conditions
