"""What pages of runs for machines may be asked for, as conditions and the parameters that these take: statements are made
once for each shape of a question, so a value is never written into one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from agent.store.engine.prepared import Prepared, Row
from agent.store.permissions.visibility import Condition, run_seen_by
from agent.store.tables import runs

FEW_RUNS = 5000
"""So many of some jobs are looked through sooner than all that there are."""
SET_BACK = timedelta(days=1)
"""How far a clock that was set back may have run ahead: runs are numbered as they are made, their times are not."""

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_AT = sa.select(runs.c.number, runs.c.created_at).order_by(runs.c.number).limit(1)
_OLDEST = Prepared(_AT)
_FROM = Prepared(_AT.where(runs.c.number >= sa.bindparam("from_number", type_=sa.Integer)))
_NEWEST = Prepared(sa.select(sa.func.max(runs.c.number).label("number")))


def text(name: str) -> sa.BindParameter[str]:
    return sa.bindparam(name, type_=sa.Text)


def count(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=sa.Integer)


def among(column: sa.ColumnElement[str], name: str, many: int) -> Condition:
    """One of so many values; see `listed`."""
    return column.in_([text(f"{name}_{number}") for number in range(many)])


def listed(name: str, values: Iterable[str]) -> dict[str, str]:
    """What `among` takes."""
    return {f"{name}_{number}": value for number, value in enumerate(values)}


def of_account(*, seen: bool) -> list[Condition]:
    """`seen`: of those, what the user `seen_by` may see."""
    return [runs.c.account_id == text("account"), *(run_seen_by(text("seen_by")) if seen else ())]


def young(table: sa.FromClause) -> list[Condition]:
    """Made `since` a moment; the number, which every index has, leaves most others out."""
    made_at = sa.bindparam("since", type_=runs.c.created_at.type)
    return [table.c.created_at >= made_at, table.c.number >= count("first")]


def since(connection: sa.Connection, moment: datetime | None) -> dict[str, Any]:
    """What `young` takes; nothing where all runs that there are must be as young: then it need not be asked of each."""
    if moment is None:
        return {}
    oldest = _OLDEST.rows(connection, {})
    if not oldest or oldest[0]["created_at"] - SET_BACK >= moment:
        return {}
    return {"since": moment, "first": _first_since(connection, oldest[0], moment)}


def _first_since(connection: sa.Connection, oldest: Row, since: datetime) -> int:
    """A number below which no run is as young, found by halves; with room for a clock that was set back."""
    bound = max(since, _EARLIEST) - SET_BACK
    if oldest["created_at"] >= bound:
        return 0
    low, high = oldest["number"] + 1, _NEWEST.rows(connection, {})[0]["number"] + 1
    while low < high:
        middle = (low + high) // 2
        [row] = _FROM.rows(connection, {"from_number": middle})
        if row["created_at"] < bound:
            low = row["number"] + 1
        else:
            high = middle
    return int(low)
