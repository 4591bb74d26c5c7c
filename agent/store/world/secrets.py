"""Secrets: named, sealed before they come here; whose they are, and who may use them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from agent.core.records.secrets import Resealed, SealedSecret
from agent.store import events
from agent.store.permissions import shares
from agent.store.permissions.visibility import resource_seen_by
from agent.store.tables import connections, secrets
from shared.errors import Conflict, NotFound
from shared.models import Secret
from shared.models.share import Visibility

_SHOWN = [column for column in secrets.c if column.name != "ciphertext"]


def put(
    connection: sa.Connection,
    account_id: str,
    name: str,
    ciphertext: bytes,
    now: datetime,
    owner_id: str | None = None,
    visibility: Visibility | None = None,
) -> None:
    """One that is there keeps its owner, and its visibility unless another is given."""
    before = connection.scalar(sa.select(secrets.c.visibility).where(_named(account_id, name)))
    values = {"ciphertext": ciphertext, "updated_at": now}
    if before is None:
        new = {"account_id": account_id, "name": name, "owner_id": owner_id, "visibility": "account"}
        connection.execute(sa.insert(secrets).values({**new, **values}))
    else:
        connection.execute(sa.update(secrets).where(_named(account_id, name)).values(values))
    if visibility is not None and visibility != (before or "account"):
        # Told first: who listens and may not know of it begins anew, and does not hear what follows.
        shares.set_visibility(connection, account_id, "secret", name, visibility, owner_id, now)
    events.record(connection, "secret.changed", [(account_id, name, {"name": name})], now)


def sealed(connection: sa.Connection) -> list[SealedSecret]:
    """Of every account."""
    query = sa.select(secrets.c.account_id, secrets.c.name, secrets.c.ciphertext)
    return [SealedSecret(account, name, bytes(content)) for account, name, content in connection.execute(query)]


def reseal(connection: sa.Connection, changed: Sequence[Resealed]) -> None:
    """The same values under another key; one that was set meanwhile stays as it was set."""
    for one in changed:
        same = sa.and_(_named(one.account_id, one.name), secrets.c.ciphertext == one.ciphertext)
        connection.execute(sa.update(secrets).where(same).values(ciphertext=one.again))


def ciphertext_of(connection: sa.Connection, account_id: str, name: str) -> bytes:
    found = connection.scalar(sa.select(secrets.c.ciphertext).where(_named(account_id, name)))
    if found is None:
        raise NotFound(f"there is no secret {name!r}")
    return bytes(found)


def find(connection: sa.Connection, account_id: str, name: str) -> Secret:
    row = connection.execute(sa.select(*_SHOWN).where(_named(account_id, name))).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no secret {name!r}")
    return Secret.model_validate(row)


def list_all(connection: sa.Connection, account_id: str, seen_by: str | None = None) -> list[Secret]:
    seen = resource_seen_by(secrets, "secret", seen_by)
    query = sa.select(*_SHOWN).where(secrets.c.account_id == account_id, *seen).order_by(secrets.c.name)
    return [Secret.model_validate(row) for row in connection.execute(query).mappings()]


def delete(connection: sa.Connection, account_id: str, name: str, now: datetime) -> None:
    using = sa.select(connections.c.name).where(connections.c.account_id == account_id)
    user = connection.scalar(using.where(connections.c.secret_name == name).limit(1))
    if user is not None:
        raise Conflict(f"the connection {user!r} uses the secret {name!r}; delete the connection first")
    if connection.execute(sa.delete(secrets).where(_named(account_id, name))).rowcount == 0:
        raise NotFound(f"there is no secret {name!r}")
    shares.forget(connection, account_id, "secret", name)
    events.record(connection, "secret.changed", [(account_id, name, {"name": name, "deleted": True})], now)


def _named(account_id: str, name: str) -> sa.ColumnElement[bool]:
    return sa.and_(secrets.c.account_id == account_id, secrets.c.name == name)
