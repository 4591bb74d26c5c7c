"""Connections."""

from __future__ import annotations

from datetime import datetime
from functools import cache

import sqlalchemy as sa

from agent.store import events
from agent.store.engine.prepared import Prepared
from agent.store.jobs import uses
from agent.store.permissions import shares
from agent.store.permissions.visibility import resource_seen_by
from agent.store.tables import connections
from agent.store.world import named
from shared.errors import Conflict
from shared.models import Connection
from shared.models.built import built


def insert_connection(connection: sa.Connection, new: Connection) -> Connection:
    named.check_free(connection, connections, "connection", new.account_id, new.name)
    connection.execute(sa.insert(connections).values(new.model_dump()))
    shares.tell_if_private(connection, new.account_id, "connection", new.id, new.visibility, new.created_at)
    events.record(connection, "connection.changed", [(new.account_id, new.id, {"id": new.id})], new.created_at)
    return new


def get_connection(connection: sa.Connection, account_id: str, key: str) -> Connection:
    return Connection.model_validate(named.find(connection, connections, "connection", account_id, key))


def list_connections(connection: sa.Connection, account_id: str, seen_by: str | None = None) -> list[Connection]:
    rows = _connections(seen=seen_by is not None).rows(connection, {"account": account_id, "seen_by": seen_by})
    return [built(Connection, row) for row in rows]


@cache
def _connections(*, seen: bool) -> Prepared:
    account, user = (sa.bindparam(name, type_=sa.Text) for name in ("account", "seen_by"))
    shown = resource_seen_by(connections, "connection", user if seen else None)
    columns = [connections.c[name] for name in Connection.model_fields]
    return Prepared(sa.select(*columns).where(connections.c.account_id == account, *shown).order_by(connections.c.name))


def replace_connection(connection: sa.Connection, changed: Connection, now: datetime) -> Connection:
    known = named.find(connection, connections, "connection", changed.account_id, changed.id)
    if changed.name != known["name"]:
        named.check_free(connection, connections, "connection", changed.account_id, changed.name)
        user = uses.a_user(connection, changed.account_id, uses.CONNECTION, known["name"])
        if user is not None:
            raise Conflict(f"the job '{user}' goes by the name {known['name']!r}; it cannot be another", field="name")
    values = changed.model_dump(include={"name", "url", "secret_name"})
    connection.execute(sa.update(connections).where(connections.c.id == changed.id).values(values))
    events.record(connection, "connection.changed", [(changed.account_id, changed.id, {"id": changed.id})], now)
    return changed


def delete_connection(connection: sa.Connection, account_id: str, key: str, now: datetime) -> None:
    found = named.find(connection, connections, "connection", account_id, key)
    connection.execute(sa.delete(connections).where(connections.c.id == found["id"]))
    shares.forget(connection, account_id, "connection", found["id"])
    told = [(account_id, found["id"], {"id": found["id"], "deleted": True})]
    events.record(connection, "connection.changed", told, now)
