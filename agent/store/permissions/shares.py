"""Shares: who else may do what; and how a resource stands to a user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from agent.core.permissions.rules import EVERYONE, WORDS, ResourceKind, Standing, higher
from agent.core.records import NewShare
from agent.store import events
from agent.store.permissions.visibility import jobs_of, key_of, resource_seen_by, run_seen_by
from agent.store.rows import Row, select_where_in
from agent.store.tables import (
    ACTIVE,
    connections,
    datasets,
    jobs,
    knowledge_bases,
    members,
    runs,
    secrets,
    shares,
    users,
)
from shared.errors import InvalidInput, NotFound
from shared.models.share import AccessLevel, Share, Visibility

_TABLES: Mapping[ResourceKind, sa.Table] = {
    "job": jobs,
    "connection": connections,
    "knowledge_base": knowledge_bases,
    "dataset": datasets,
    "secret": secrets,
}


def standing(
    connection: sa.Connection, account_id: str, kind: ResourceKind, subject_id: str, user_id: str
) -> Standing | None:
    """None: there is no such resource in the account. A deleted job stands as it did: its runs follow it."""
    owner = connection.execute(_subject(account_id, kind, subject_id)).mappings().one_or_none()
    if owner is None:
        return None
    mine = shares.c.principal_id.in_((user_id, EVERYONE))
    level: AccessLevel | None = None
    for found in connection.scalars(sa.select(shares.c.level).where(_of(account_id, kind, subject_id), mine)):
        level = higher(level, found)
    return Standing(account_id, owner["owner_id"], level, owner.get("visibility", "private"))


def standings(
    connection: sa.Connection, account_id: str, kind: ResourceKind, owners: Mapping[str, str], user_id: str
) -> dict[str, Standing]:
    """Of many private ones whose owners are known, by their ids."""
    query = sa.select(shares.c.subject_id, shares.c.level).where(
        shares.c.account_id == account_id, shares.c.kind == kind, shares.c.principal_id.in_((user_id, EVERYONE))
    )
    levels: dict[str, AccessLevel | None] = {}
    for row in select_where_in(connection, query, shares.c.subject_id, owners):
        levels[row["subject_id"]] = higher(levels.get(row["subject_id"]), row["level"])
    return {id_: Standing(account_id, owner, levels.get(id_)) for id_, owner in owners.items()}


def list_of(
    connection: sa.Connection, account_id: str, kind: ResourceKind, subject_ids: Iterable[str]
) -> dict[str, list[Share]]:
    """Each one's shares, by the names of those that have them."""
    names = sa.func.coalesce(users.c.handle, shares.c.principal_id).label("principal_name")
    joined = shares.outerjoin(users, users.c.id == shares.c.principal_id)
    query = sa.select(shares, names).select_from(joined).where(shares.c.account_id == account_id, shares.c.kind == kind)
    found: dict[str, list[Share]] = {}
    rows = select_where_in(connection, query, shares.c.subject_id, subject_ids)
    for row in sorted(rows, key=lambda row: (row["principal_id"] != EVERYONE, str(row["principal_name"]))):
        found.setdefault(row["subject_id"], []).append(_share_of(row))
    return found


def put(connection: sa.Connection, new: NewShare, now: datetime) -> tuple[Share, bool]:
    """The share as it stands now, and whether it is new. InvalidInput if the principal is no user of the account."""
    _require_subject(connection, new.account_id, new.kind, new.subject_id)
    principal = _principal(connection, new.account_id, new.principal)
    mine = sa.and_(_of(new.account_id, new.kind, new.subject_id), shares.c.principal_id == principal)
    values = {"level": new.level, "granted_by": new.by, "granted_at": now}
    is_new = connection.execute(sa.update(shares).where(mine).values(values)).rowcount == 0
    if is_new:
        key = {"account_id": new.account_id, "kind": new.kind, "subject_id": new.subject_id, "principal_id": principal}
        connection.execute(sa.insert(shares).values({**key, **values}))
    told = {"kind": new.kind, "id": new.subject_id, "principalId": principal, "accessLevel": new.level}
    events.record(connection, "share.changed", [(new.account_id, new.subject_id, told)], now)
    found = list_of(connection, new.account_id, new.kind, [new.subject_id])[new.subject_id]
    return next(share for share in found if share.principal_id == principal), is_new


def remove(
    connection: sa.Connection, account_id: str, kind: ResourceKind, subject_id: str, principal: str, now: datetime
) -> None:
    """NotFound if it is not shared with that one. One who has left the account may still be named by id."""
    either = (shares.c.principal_id == principal, users.c.handle == principal)
    query = sa.select(shares.c.principal_id).select_from(shares.outerjoin(users, users.c.id == shares.c.principal_id))
    found = connection.scalar(query.where(_of(account_id, kind, subject_id), sa.or_(*either)))
    if found is None:
        raise NotFound(f"the {WORDS[kind]} is not shared with '{principal}'")
    mine = sa.and_(_of(account_id, kind, subject_id), shares.c.principal_id == found)
    connection.execute(sa.delete(shares).where(mine))
    told = {"kind": kind, "id": subject_id, "principalId": found, "accessLevel": None}
    events.record(connection, "share.changed", [(account_id, subject_id, told)], now)


def forget(connection: sa.Connection, account_id: str, kind: ResourceKind, subject_id: str) -> None:
    """The resource is gone; one that is made with its name later begins without shares."""
    connection.execute(sa.delete(shares).where(_of(account_id, kind, subject_id)))


def set_visibility(
    connection: sa.Connection,
    account_id: str,
    kind: ResourceKind,
    subject_id: str,
    visibility: Visibility,
    owner_id: str | None,
    now: datetime,
) -> None:
    """What nobody owns becomes `owner_id`'s: a private thing that is nobody's could not be reached."""
    _require_subject(connection, account_id, kind, subject_id)
    table = _TABLES[kind]
    owner = sa.func.coalesce(table.c.owner_id, owner_id)
    mine = sa.and_(table.c.account_id == account_id, _id_of(kind) == subject_id)
    connection.execute(sa.update(table).where(mine).values(visibility=visibility, owner_id=owner))
    told = {"kind": kind, "id": subject_id, "visibility": visibility}
    events.record(connection, "share.changed", [(account_id, subject_id, told)], now)


def tell_if_private(
    connection: sa.Connection,
    account_id: str,
    kind: ResourceKind,
    subject_id: str,
    visibility: Visibility,
    now: datetime,
) -> None:
    """Of what is new, before anything else is told of it: who listens and may not know of it begins anew, and does not
    hear what follows."""
    if visibility == "private":
        told = {"kind": kind, "id": subject_id, "visibility": visibility}
        events.record(connection, "share.changed", [(account_id, subject_id, told)], now)


def set_owner(
    connection: sa.Connection, account_id: str, kind: ResourceKind, subject_id: str, owner: str, now: datetime
) -> None:
    _require_subject(connection, account_id, kind, subject_id)
    table, owner_id = _TABLES[kind], _user(connection, account_id, owner)
    if owner_id is None:
        raise InvalidInput.one("ownerId", "is no user of this account; name a user by id or handle", owner)
    mine = sa.and_(table.c.account_id == account_id, _id_of(kind) == subject_id)
    connection.execute(sa.update(table).where(mine).values(owner_id=owner_id))
    told = {"kind": kind, "id": subject_id, "ownerId": owner_id}
    events.record(connection, "share.changed", [(account_id, subject_id, told)], now)


def seen_jobs(connection: sa.Connection, account_id: str, user_id: str, least: AccessLevel) -> set[str]:
    """Ids of all jobs that the user owns or has that share of, deleted ones too."""
    return set(connection.scalars(jobs_of(account_id, user_id, jobs.c.id, least=least)))


def seen_runs(connection: sa.Connection, account_id: str, run_ids: Sequence[str], seen_by: str | None) -> set[str]:
    query = sa.select(runs.c.id).where(runs.c.account_id == account_id, *run_seen_by(seen_by))
    return {row["id"] for row in select_where_in(connection, query, runs.c.id, run_ids)}


def seen_active_runs(connection: sa.Connection, account_id: str, user_id: str) -> set[str]:
    query = sa.select(runs.c.id).where(ACTIVE, runs.c.account_id == account_id, *run_seen_by(user_id))
    return set(connection.scalars(query))


def hidden_resources(connection: sa.Connection, account_id: str, user_id: str) -> set[str]:
    """Ids of what is private to others: connections, knowledge bases, datasets; secrets by name."""
    kinds: Sequence[ResourceKind] = ("connection", "knowledge_base", "dataset", "secret")
    hidden: set[str] = set()
    for kind in kinds:
        table = _TABLES[kind]
        unseen = sa.not_(sa.and_(*resource_seen_by(table, kind, user_id)))
        private = sa.select(key_of(table)).where(
            table.c.account_id == account_id, table.c.visibility == "private", unseen
        )
        hidden |= set(connection.scalars(private))
    return hidden


def _subject(account_id: str, kind: ResourceKind, subject_id: str) -> sa.Select[tuple[object, ...]]:
    table = _TABLES[kind]
    columns = [column for column in (table.c.owner_id, table.c.get("visibility")) if column is not None]
    return sa.select(*columns).where(table.c.account_id == account_id, _id_of(kind) == subject_id)


def _id_of(kind: ResourceKind) -> sa.ColumnElement[str]:
    return key_of(_TABLES[kind])


def _require_subject(connection: sa.Connection, account_id: str, kind: ResourceKind, subject_id: str) -> None:
    query = _subject(account_id, kind, subject_id)
    if kind == "job":
        query = query.where(jobs.c.deleted_at.is_(None))
    if connection.execute(query).first() is None:
        raise NotFound(f"there is no {WORDS[kind]} '{subject_id}'")


def _principal(connection: sa.Connection, account_id: str, key: str) -> str:
    """A user's id, or `everyone`."""
    if key == EVERYONE:
        return EVERYONE
    found = _user(connection, account_id, key)
    if found is None:
        message = f"is no user of this account; name a user by id or handle, or '{EVERYONE}'"
        raise InvalidInput.one("principalId", message, key)
    return found


def _user(connection: sa.Connection, account_id: str, key: str) -> str | None:
    """By id, else by handle."""
    query = sa.select(users.c.id).join(members, members.c.user_id == users.c.id)
    query = query.where(members.c.account_id == account_id, sa.or_(users.c.id == key, users.c.handle == key))
    found: str | None = connection.scalar(query.order_by((users.c.id == key).desc()).limit(1))
    return found


def _of(account_id: str, kind: ResourceKind, subject_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(shares.c.account_id == account_id, shares.c.kind == kind, shares.c.subject_id == subject_id)


def _share_of(row: Row) -> Share:
    return Share(
        principal_id=row["principal_id"],
        principal_name=row["principal_name"],
        access_level=row["level"],
        granted_by=row["granted_by"],
        granted_at=row["granted_at"],
    )
