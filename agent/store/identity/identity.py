"""Accounts, users, memberships."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.identity.records import Link, NewMember, NewUser, Standing, UserRecord
from agent.core.identity.scopes import scopes_of
from agent.store import events
from agent.store.rows import Row
from agent.store.tables import accounts, members, sessions, users
from shared.errors import Conflict, NotFound
from shared.models import Account, Membership, User

# -- accounts ----------------------------------------------------------------------------------------------------------

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


# -- users -------------------------------------------------------------------------------------------------------------


def insert_user(connection: sa.Connection, new: NewUser, member: NewMember) -> User:
    """With a membership. Conflict if somebody has the handle, in whatever case, or the link."""
    get_account(connection, member.account_id)
    if _user(connection, new.handle) is not None:
        raise Conflict(f"there is already a user '{new.handle}'", field="handle")
    row = {"id": new.id, "handle": new.handle, "password_hash": new.password_hash, "created_at": new.created_at}
    connection.execute(sa.insert(users).values(row))
    if new.link is not None:
        _link(connection, new.id, new.link)
    put_member(connection, member, new.created_at)
    return get_user(connection, new.id, None)


def get_user(connection: sa.Connection, key: str, account_id: str | None) -> User:
    """By id or handle. With an account: only its users, and only their membership there."""
    row = _user(connection, key)
    found = _seen(connection, [row] if row is not None else [], account_id)
    if not found:
        raise NotFound(f"there is no user '{key}'")
    return found[0]


def list_users(connection: sa.Connection, account_id: str | None) -> list[User]:
    return _seen(connection, connection.execute(sa.select(users).order_by(users.c.handle)).mappings().all(), account_id)


def find_user(connection: sa.Connection, key: str) -> UserRecord | None:
    return _record(_user(connection, key))


def find_linked(connection: sa.Connection, link: Link) -> UserRecord | None:
    query = sa.select(users).where(users.c.issuer == link.issuer, users.c.subject == link.subject)
    return _record(connection.execute(query).mappings().one_or_none())


def link_user(connection: sa.Connection, user_id: str, link: Link | None, now: datetime) -> None:
    """None: undo it. Conflict if the link is another's."""
    if link is None:
        connection.execute(sa.update(users).where(users.c.id == user_id).values(issuer=None, subject=None))
    else:
        _link(connection, user_id, link)
    _tell_user(connection, user_id, now)


def disable_user(connection: sa.Connection, user_id: str, at: datetime | None, now: datetime) -> None:
    """`at` None: enable. Everywhere; a disabled one is logged out."""
    connection.execute(sa.update(users).where(users.c.id == user_id).values(disabled_at=at))
    if at is not None:
        _log_out(connection, user_id)
    _tell_user(connection, user_id, now)


def put_password(connection: sa.Connection, user_id: str, hashed: str, keep: str | None, now: datetime) -> None:
    """Every session of the user ends but `keep`."""
    connection.execute(sa.update(users).where(users.c.id == user_id).values(password_hash=hashed))
    _log_out(connection, user_id, keep)
    _tell_user(connection, user_id, now)


def note_login(connection: sa.Connection, user_id: str, now: datetime, rehashed: tuple[str, str] | None) -> None:
    """`rehashed`: the hash that was checked, and the same password's with the parameters of now."""
    mine = users.c.id == user_id
    connection.execute(sa.update(users).where(mine).values(last_login_at=now))
    if rehashed is not None:
        old, new = rehashed
        connection.execute(sa.update(users).where(mine, users.c.password_hash == old).values(password_hash=new))


def _link(connection: sa.Connection, user_id: str, link: Link) -> None:
    known = find_linked(connection, link)
    if known is not None and known.id != user_id:
        raise Conflict(f"'{link.subject}' of {link.issuer} is the user '{known.handle}' already", field="subject")
    values = {"issuer": link.issuer, "subject": link.subject}
    connection.execute(sa.update(users).where(users.c.id == user_id).values(values))


def _record(row: sa.RowMapping | None) -> UserRecord | None:
    if row is None:
        return None
    return UserRecord(row["id"], row["handle"], row["password_hash"], row["disabled_at"] is not None)


def _user(connection: sa.Connection, key: str) -> sa.RowMapping | None:
    """An id comes before a handle; handles match in either case."""
    same = sa.or_(users.c.id == key, sa.func.lower(users.c.handle) == key.lower())
    query = sa.select(users).where(same).order_by((users.c.id == key).desc()).limit(1)
    return connection.execute(query).mappings().one_or_none()


def _seen(connection: sa.Connection, rows: Sequence[sa.RowMapping], account_id: str | None) -> list[User]:
    """The users among `rows` that the account has (None: all), with the memberships that it may see."""
    query = sa.select(members).order_by(members.c.number)
    if account_id is not None:
        query = query.where(members.c.account_id == account_id)
    if len(rows) == 1:
        query = query.where(members.c.user_id == rows[0]["id"])
    of_user: dict[str, list[Membership]] = {}
    for row in connection.execute(query).mappings():
        of_user.setdefault(row["user_id"], []).append(_membership(row))
    return [
        User.model_validate({**row, "has_password": row["password_hash"] is not None, "memberships": seen})
        for row in rows
        if (seen := of_user.get(row["id"], [])) or account_id is None
    ]


def _membership(row: sa.RowMapping) -> Membership:
    scopes = sorted(scopes_of(row["role"], code=row["code"]))
    where, role = row["account_id"], row["role"]
    return Membership(account_id=where, role=role, scopes=list(map(str, scopes)), disabled_at=row["disabled_at"])


# -- memberships -------------------------------------------------------------------------------------------------------

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
    _tell_user(connection, member.user_id, now)


def disable_member(
    connection: sa.Connection, account_id: str, user_id: str, at: datetime | None, now: datetime
) -> None:
    """`at` None: enable. In this account only; who is disabled there is logged out there."""
    mine = sa.and_(members.c.account_id == account_id, members.c.user_id == user_id)
    connection.execute(sa.update(members).where(mine).values(disabled_at=at))
    if at is not None:
        there = sa.and_(sessions.c.account_id == account_id, sessions.c.user_id == user_id)
        connection.execute(sa.delete(sessions).where(there))
    _tell_user(connection, user_id, now)


def _log_out(connection: sa.Connection, user_id: str, keep: str | None = None) -> None:
    theirs = sessions.c.user_id == user_id
    if keep is not None:
        theirs &= sessions.c.id != keep
    connection.execute(sa.delete(sessions).where(theirs))


def _tell_account(connection: sa.Connection, account_id: str, now: datetime) -> None:
    events.record(connection, "account.changed", [(account_id, account_id, {"id": account_id})], now)


def _tell_user(connection: sa.Connection, user_id: str, now: datetime) -> None:
    """To every account that has the user."""
    homes = connection.scalars(sa.select(members.c.account_id).where(members.c.user_id == user_id))
    events.record(connection, "user.changed", [(home, user_id, {"id": user_id}) for home in homes], now)
