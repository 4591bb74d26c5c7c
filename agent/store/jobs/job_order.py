"""In which order jobs are listed: along an index, so that a late page comes nearly as quickly as the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from agent.store.tables import jobs
from shared.errors import InvalidInput

LIVING = jobs.c.deleted_at.is_(None)
_SORTS: dict[str, sa.ColumnElement[Any]] = {
    "name": jobs.c.name_key,
    "type": jobs.c.type,
    "createdAt": jobs.c.created_at,
    "updatedAt": jobs.c.updated_at,
    "nextRunAt": jobs.c.due_at,
    "enabled": jobs.c.enabled,
}
_Query = sa.Select[Any]


def page(
    connection: sa.Connection,
    account_id: str,
    conditions: Sequence[sa.ColumnElement[bool]],
    sort: str,
    limit: int,
    start: int,
) -> list[int]:
    """Numbers of the account's living jobs that meet the conditions. One that does not fire comes last, whichever way `nextRunAt` is
    sorted. InvalidInput for another `sort`."""
    column = _SORTS.get(sort.removeprefix("-"))
    if column is None:
        raise InvalidInput.one("sort", f"sort by one of {', '.join(_SORTS)}; a '-' before it descends", sort)
    descending = sort.startswith("-")
    if column is jobs.c.due_at:
        # Not as an equation: SQLite would leave the account out of the order, and see no more that the index has it.
        own = jobs.c.account_id.between(account_id, account_id)
        return _by_next_fire(connection, _NUMBER.where(own, *conditions), limit, start, descending=descending)
    query = _NUMBER.where(jobs.c.account_id == account_id, *conditions, LIVING)
    query = _in_order(query, column, jobs.c.number, descending=descending)
    return _read(connection, query, limit, start)


def _by_next_fire(connection: sa.Connection, query: _Query, limit: int, start: int, *, descending: bool) -> list[int]:
    """Those that fire, then those that do not: two stretches of one index, which no single order walks."""
    firing = query.where(jobs.c.due_at.is_not(None))  # so it is living, too
    order = (jobs.c.due_at, jobs.c.account_id, jobs.c.number)
    found = _read(connection, _in_order(firing, *order, descending=descending), limit, start)
    if len(found) == limit:
        return found
    before = start + len(found) if found else connection.scalar(firing.with_only_columns(sa.func.count())) or 0
    others = query.where(jobs.c.due_at.is_(None), LIVING).order_by(jobs.c.account_id, jobs.c.number)
    return found + _read(connection, others, limit - len(found), max(0, start - before))


def _in_order(query: _Query, *order: sa.ColumnElement[Any], descending: bool) -> _Query:
    return query.order_by(*(each.desc() if descending else each.asc() for each in order))


def _read(connection: sa.Connection, query: _Query, limit: int, start: int) -> list[int]:
    return list(connection.scalars(query.limit(limit).offset(start)))


_NUMBER = sa.select(jobs.c.number)
