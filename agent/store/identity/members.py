"""Memberships: which user belongs to which account, and how somebody stands there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.identity.records import NewMember, Standing
from agent.store import events
from agent.store.rows import Row
from agent.store.tables import accounts, members, sessions, users

_DISABLED = sa.or_(accounts.c.disabled_at.is_not(None), users.c.disabled_at.is_not(None), members.c.disabled_at.is_not(None))  # fmt: skip
STANDING_PARTS: tuple[Any, ...] = (
    members.c.account_id, members.c.user_id, users.c.handle, members.c.role, members.c.code, _DISABLED.label("disabled"),
)  # fmt: skip
STANDING_FROM = members.join(users, users.c.id == members.c.user_id).join(
    accounts, accounts.c.id == members.c.account_id
)
_STANDING = sa.select(*STANDING_PARTS).select_from(STANDING_FROM)


def standing_of(row: Row) -> Standing:
    where, who = (row["account_id"], row["user_id"], row["handle"]), (row["role"], bool(row["code"]))
    return Standing(*where, *who, disabled=bool(row["disabled"]))


def find_standing(connection: sa.Connection, user_id: str, account_id: str) -> Standing | None:
    query = _STANDING.where(members.c.user_id == user_id, members.c.account_id == account_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else standing_of(row)


def list_standings(connection: sa.Connection, user_id: str) -> list[Standing]:
    query = _STANDING.where(members.c.user_id == user_id).order_by(members.c.number)
    return [standing_of(row) for row in connection.execute(query).mappings()]


def put_member(connection: sa.Connection, member: NewMember, now: datetime) -> None:
    mine = sa.and_(members.c.account_id == member.account_id, members.c.user_id == member.user_id)
    values = {"role": member.role, "code": member.code}
    if connection.execute(sa.update(members).where(mine).values(values)).rowcount == 0:
        row = {"account_id": member.account_id, "user_id": member.user_id, "created_at": now}
        connection.execute(sa.insert(members).values(**row, **values))
    tell_user(connection, member.user_id, now)


def disable_member(
    connection: sa.Connection, account_id: str, user_id: str, at: datetime | None, now: datetime
) -> None:
    """`at` None: enable. In this account only; who is disabled there is logged out there."""
    mine = sa.and_(members.c.account_id == account_id, members.c.user_id == user_id)
    connection.execute(sa.update(members).where(mine).values(disabled_at=at))
    if at is not None:
        there = sa.and_(sessions.c.account_id == account_id, sessions.c.user_id == user_id)
        connection.execute(sa.delete(sessions).where(there))
    tell_user(connection, user_id, now)


def tell_user(connection: sa.Connection, user_id: str, now: datetime) -> None:
    """To every account that has the user."""
    homes = connection.scalars(sa.select(members.c.account_id).where(members.c.user_id == user_id))
    events.record(connection, "user.changed", [(home, user_id, {"id": user_id}) for home in homes], now)
