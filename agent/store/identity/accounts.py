"""Accounts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from agent.core.identity.records import NewMember
from agent.store import events
from agent.store.identity.members import find_standing, put_member
from agent.store.tables import accounts, members, sessions, users
from shared.errors import Conflict, NotFound
from shared.models import Account

_MEMBERS = sa.select(sa.func.count()).where(members.c.account_id == accounts.c.id).correlate(accounts).scalar_subquery()
_ACCOUNT = sa.select(accounts, _MEMBERS.label("users"))


def ensure_account(connection: sa.Connection, account_id: str, owner_id: str, handle: str, now: datetime) -> None:
    """Make what of the account, its administrator and the membership is not there yet; who has the handle is it."""
    known = connection.scalar(sa.select(users.c.id).where(sa.or_(users.c.id == owner_id, users.c.handle == handle)))
    if known is None:
        connection.execute(sa.insert(users).values(id=owner_id, handle=handle, created_at=now))
    if connection.scalar(sa.select(accounts.c.id).where(accounts.c.id == account_id)) is None:
        connection.execute(sa.insert(accounts).values(id=account_id, created_at=now))
        _tell_account(connection, account_id, now)
    if find_standing(connection, known or owner_id, account_id) is None:
        put_member(connection, NewMember(account_id, known or owner_id, "admin", code=True), now)


def insert_account(connection: sa.Connection, account_id: str, owner_id: str, now: datetime) -> Account:
    """With its first administrator, a user that there is. Conflict if there is such an account."""
    if connection.scalar(sa.select(accounts.c.id).where(accounts.c.id == account_id)) is not None:
        raise Conflict(f"there is already an account '{account_id}'", field="id")
    connection.execute(sa.insert(accounts).values(id=account_id, created_at=now))
    put_member(connection, NewMember(account_id, owner_id, "admin", code=True), now)
    _tell_account(connection, account_id, now)
    return get_account(connection, account_id)


def get_account(connection: sa.Connection, account_id: str) -> Account:
    row = connection.execute(_ACCOUNT.where(accounts.c.id == account_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no account '{account_id}'")
    return Account.model_validate(row)


def list_accounts(connection: sa.Connection) -> list[Account]:
    return [Account.model_validate(row) for row in connection.execute(_ACCOUNT.order_by(accounts.c.id)).mappings()]


def disable_account(connection: sa.Connection, account_id: str, at: datetime | None, now: datetime) -> Account:
    """`at` None: enable it. Whoever is logged in there is logged out."""
    connection.execute(sa.update(accounts).where(accounts.c.id == account_id).values(disabled_at=at))
    if at is not None:
        connection.execute(sa.delete(sessions).where(sessions.c.account_id == account_id))
    _tell_account(connection, account_id, now)
    return get_account(connection, account_id)


def find_owner(connection: sa.Connection, account_id: str) -> tuple[str, str]:
    query = sa.select(users.c.id, users.c.handle).join(members).where(members.c.account_id == account_id)
    row = connection.execute(query.order_by(members.c.number).limit(1)).one_or_none()
    if row is None:
        raise NotFound(f"there is no account '{account_id}'")
    return row.id, row.handle


def _tell_account(connection: sa.Connection, account_id: str, now: datetime) -> None:
    events.record(connection, "account.changed", [(account_id, account_id, {"id": account_id})], now)
