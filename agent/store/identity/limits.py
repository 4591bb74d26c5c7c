"""What accounts may have, and whether there is room for one more: asked in the transaction that adds it.

SQLite has one writer. On PostgreSQL who counts holds the account's row until the commit, so that two do not count the
same place; accounts without a limit lock and count nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from agent.store import events, facts
from agent.store.engine.prepared import Prepared
from agent.store.tables import ACTIVE, accounts, jobs, meta, runs, tokens
from shared.errors import LimitReached, NotFound
from shared.models import AccountAllowance, AccountLimits, AccountUse
from shared.states import RunState

_DEFAULTS = "limits"
_NONE = AccountLimits()
_Count = Callable[[sa.Connection, str, datetime], int]


def written_of(account: sa.ColumnElement[str]) -> tuple[sa.ColumnElement[Any], ...]:
    """What a query must have read of an account for `read`."""
    return (
        sa.select(meta.c.value)
        .where(meta.c.key == sa.bindparam("limits_key", _DEFAULTS))
        .scalar_subquery()
        .label("limits_of_all"),
        sa.select(sa.type_coerce(accounts.c.limits, sa.Text))
        .where(accounts.c.id == account)
        .scalar_subquery()
        .label("own_limits"),
    )


_WRITTEN = Prepared(sa.select(*written_of(sa.bindparam("account", type_=sa.Text))))


def read(row: Mapping[Any, Any]) -> AccountLimits:
    """What holds for the account: its own, else the defaults."""
    return _together(row["limits_of_all"], row["own_limits"])


def put_defaults(connection: sa.Connection, limits: AccountLimits) -> None:
    facts.put(connection, _DEFAULTS, limits.model_dump_json())


def put(connection: sa.Connection, account_id: str, limits: AccountLimits, now: datetime) -> None:
    mine = accounts.c.id == account_id
    given = limits.model_dump(mode="json", exclude_none=True)
    if connection.execute(sa.update(accounts).where(mine).values(limits=given)).rowcount == 0:
        raise NotFound(f"there is no account '{account_id}'")
    events.record(connection, "account.changed", [(account_id, account_id, {"id": account_id})], now)


def of(connection: sa.Connection, account_id: str) -> AccountLimits:
    [row] = _WRITTEN.rows(connection, {"account": account_id})
    return read(row)


def allowance(connection: sa.Connection, account_id: str, now: datetime) -> AccountAllowance:
    row = connection.execute(sa.select(accounts.c.limits).where(accounts.c.id == account_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no account '{account_id}'")
    own = AccountLimits.model_validate(row.limits or {})
    use = AccountUse(**{name: count(connection, account_id, now) for name, count in _COUNTS.items()})
    return AccountAllowance(account_id=account_id, own=own, limits=of(connection, account_id), use=use)


def check(
    connection: sa.Connection,
    account_id: str,
    name: str,
    now: datetime,
    adding: int = 1,
    known: AccountLimits | None = None,
) -> None:
    """LimitReached unless the account has room for so many more. `known`: its limits, read in this transaction."""
    limits = known or of(connection, account_id)
    room = room_for(connection, account_id, name, now, limits)
    if room is not None and room < adding:
        most = getattr(limits, name)
        raise LimitReached.of(account_id, name, most, most - room)


def room_for(
    connection: sa.Connection, account_id: str, name: str, now: datetime, known: AccountLimits | None = None
) -> int | None:
    """How many more the account may have, below 0 where it has too many already; None: any number."""
    most: int | None = getattr(known or of(connection, account_id), name)
    if most is None:
        return None
    connection.execute(sa.select(accounts.c.number).where(accounts.c.id == account_id).with_for_update())
    return most - _COUNTS[name](connection, account_id, now)


def active_jobs(connection: sa.Connection, account_id: str, now: datetime) -> int:
    open_window = sa.or_(jobs.c.window_end.is_(None), jobs.c.window_end >= now)
    which = (jobs.c.account_id == account_id, jobs.c.deleted_at.is_(None), jobs.c.enabled, open_window)
    return connection.scalar(sa.select(sa.func.count()).select_from(jobs).where(*which)) or 0


def _waiting_runs(connection: sa.Connection, account_id: str, _now: datetime) -> int:
    which = (ACTIVE, runs.c.account_id == account_id, runs.c.state == RunState.PENDING)
    return connection.scalar(sa.select(sa.func.count()).select_from(runs).where(*which)) or 0


def _tokens(connection: sa.Connection, account_id: str, now: datetime) -> int:
    living = (tokens.c.revoked_at.is_(None), sa.or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now))
    which = (tokens.c.account_id == account_id, *living)
    return connection.scalar(sa.select(sa.func.count()).select_from(tokens).where(*which)) or 0


_COUNTS: Mapping[str, _Count] = {"active_jobs": active_jobs, "waiting_runs": _waiting_runs, "tokens": _tokens}


@lru_cache(maxsize=1000)
def _together(defaults: str | None, own: str | None) -> AccountLimits:
    """Nobody writes to it."""
    common = AccountLimits.model_validate_json(defaults) if defaults else _NONE
    if not own:
        return common
    said = {name: value for name, value in AccountLimits.model_validate_json(own) if value is not None}
    return common.model_copy(update=said)
