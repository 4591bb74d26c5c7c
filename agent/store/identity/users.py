"""Users: who they are, how they log in, and what others see of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from agent.core.identity.records import Link, NewMember, NewUser, UserRecord
from agent.core.identity.scopes import scopes_of
from agent.store.identity.accounts import get_account
from agent.store.identity.members import put_member, tell_user
from agent.store.tables import members, sessions, users
from shared.errors import Conflict, NotFound
from shared.models import Membership, User


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
    tell_user(connection, user_id, now)


def disable_user(connection: sa.Connection, user_id: str, at: datetime | None, now: datetime) -> None:
    """`at` None: enable. Everywhere; a disabled one is logged out."""
    connection.execute(sa.update(users).where(users.c.id == user_id).values(disabled_at=at))
    if at is not None:
        _log_out(connection, user_id)
    tell_user(connection, user_id, now)


def put_password(connection: sa.Connection, user_id: str, hashed: str, keep: str | None, now: datetime) -> None:
    """Every session of the user ends but `keep`."""
    connection.execute(sa.update(users).where(users.c.id == user_id).values(password_hash=hashed))
    _log_out(connection, user_id, keep)
    tell_user(connection, user_id, now)


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


def _log_out(connection: sa.Connection, user_id: str, keep: str | None = None) -> None:
    theirs = sessions.c.user_id == user_id
    if keep is not None:
        theirs &= sessions.c.id != keep
    connection.execute(sa.delete(sessions).where(theirs))
