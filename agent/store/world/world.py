"""Connections, knowledge bases, workers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa

from agent.store import events
from agent.store.engine.prepared import Prepared, Row
from agent.store.jobs import uses
from agent.store.permissions import shares
from agent.store.permissions.visibility import resource_seen_by
from agent.store.rows import built, select_where_in
from agent.store.tables import connections, knowledge_bases, workers
from shared.errors import Conflict, NotFound
from shared.models import Connection, KnowledgeBase, Worker

# -- connections -------------------------------------------------------------------------------------------------------


def insert_connection(connection: sa.Connection, new: Connection) -> Connection:
    _check_free(connection, connections, "connection", new.account_id, new.name)
    connection.execute(sa.insert(connections).values(new.model_dump()))
    shares.tell_if_private(connection, new.account_id, "connection", new.id, new.visibility, new.created_at)
    events.record(connection, "connection.changed", [(new.account_id, new.id, {"id": new.id})], new.created_at)
    return new


def get_connection(connection: sa.Connection, account_id: str, key: str) -> Connection:
    return Connection.model_validate(_find(connection, connections, "connection", account_id, key))


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
    known = _find(connection, connections, "connection", changed.account_id, changed.id)
    if changed.name != known["name"]:
        _check_free(connection, connections, "connection", changed.account_id, changed.name)
        user = uses.a_user(connection, changed.account_id, uses.CONNECTION, known["name"])
        if user is not None:
            raise Conflict(f"the job '{user}' goes by the name {known['name']!r}; it cannot be another", field="name")
    values = changed.model_dump(include={"name", "url", "secret_name"})
    connection.execute(sa.update(connections).where(connections.c.id == changed.id).values(values))
    events.record(connection, "connection.changed", [(changed.account_id, changed.id, {"id": changed.id})], now)
    return changed


def delete_connection(connection: sa.Connection, account_id: str, key: str, now: datetime) -> None:
    found = _find(connection, connections, "connection", account_id, key)
    connection.execute(sa.delete(connections).where(connections.c.id == found["id"]))
    shares.forget(connection, account_id, "connection", found["id"])
    told = [(account_id, found["id"], {"id": found["id"], "deleted": True})]
    events.record(connection, "connection.changed", told, now)


# -- knowledge bases ---------------------------------------------------------------------------------------------------


def insert_knowledge_base(connection: sa.Connection, base: KnowledgeBase) -> KnowledgeBase:
    _check_free(connection, knowledge_bases, "knowledge base", base.account_id, base.name)
    connection.execute(sa.insert(knowledge_bases).values(base.model_dump(exclude={"number"})))
    shares.tell_if_private(connection, base.account_id, "knowledge_base", base.id, base.visibility, base.created_at)
    events.record(connection, "knowledge_base.changed", [(base.account_id, base.id, {"id": base.id})], base.created_at)
    return get_knowledge_base(connection, base.account_id, base.id)


def get_knowledge_base(connection: sa.Connection, account_id: str, key: str) -> KnowledgeBase:
    return KnowledgeBase.model_validate(_find(connection, knowledge_bases, "knowledge base", account_id, key))


def list_knowledge_bases(connection: sa.Connection, account_id: str, seen_by: str | None = None) -> list[KnowledgeBase]:
    seen = resource_seen_by(knowledge_bases, "knowledge_base", seen_by)
    query = sa.select(knowledge_bases).where(knowledge_bases.c.account_id == account_id, *seen)
    found = connection.execute(query.order_by(knowledge_bases.c.name)).mappings()
    return [KnowledgeBase.model_validate(row) for row in found]


def delete_knowledge_base(connection: sa.Connection, account_id: str, key: str, now: datetime) -> None:
    found = _find(connection, knowledge_bases, "knowledge base", account_id, key)
    connection.execute(sa.delete(knowledge_bases).where(knowledge_bases.c.id == found["id"]))
    shares.forget(connection, account_id, "knowledge_base", found["id"])
    told = [(account_id, found["id"], {"id": found["id"], "deleted": True})]
    events.record(connection, "knowledge_base.changed", told, now)


def _check_free(connection: sa.Connection, table: sa.Table, word: str, account_id: str, name: str) -> None:
    query = sa.select(table.c.id).where(table.c.account_id == account_id, table.c.name == name)
    if connection.scalar(query) is not None:
        raise Conflict(f"there is already a {word} with the name {name!r}", field="name")


def _find(connection: sa.Connection, table: sa.Table, word: str, account_id: str, key: str) -> Row:
    """By id, else by name."""
    rows = _FINDING[table.name].rows(connection, {"account": account_id, "key": key})
    if not rows:
        raise NotFound(f"there is no {word} {key!r}")
    return rows[0]


def _finding(table: sa.Table) -> Prepared:
    account, key = sa.bindparam("account", type_=sa.Text), sa.bindparam("key", type_=sa.Text)
    mine = sa.and_(table.c.account_id == account, sa.or_(table.c.id == key, table.c.name == key))
    return Prepared(sa.select(table).where(mine).order_by((table.c.id == key).desc()).limit(1))


# Made once: every search needs one.
_FINDING = {table.name: _finding(table) for table in (connections, knowledge_bases)}


# -- workers -----------------------------------------------------------------------------------------------------------


_FORGOTTEN = timedelta(minutes=5)


def put_workers(connection: sa.Connection, seen: Sequence[Worker], now: datetime) -> None:
    """Write what the agent's workers are, all of them; told only where more than the heartbeat changed. Those of
    agents that have not been heard of for long go; at once in SQLite, where one agent holds the file: others are dead."""
    if not seen:
        return
    found = select_where_in(connection, sa.select(workers), workers.c.id, (worker.id for worker in seen))
    known = {row["id"]: Worker.model_validate(row) for row in found}
    own = workers.c.agent_id.in_({worker.agent_id for worker in seen})
    forgotten = sa.true() if connection.dialect.name == "sqlite" else workers.c.heartbeat_at < now - _FORGOTTEN
    connection.execute(sa.delete(workers).where(own | forgotten))
    connection.execute(sa.insert(workers), [worker.model_dump() for worker in seen])
    changed = [worker for worker in seen if _differs(worker, known.get(worker.id))]
    told = ((events.EVERYBODY, worker.id, worker.model_dump(mode="json", by_alias=True)) for worker in changed)
    events.record(connection, "worker.changed", told, now)


def list_workers(connection: sa.Connection) -> list[Worker]:
    query = sa.select(workers).order_by(workers.c.started_at, workers.c.id)
    return [Worker.model_validate(row) for row in connection.execute(query).mappings()]


def _differs(worker: Worker, before: Worker | None) -> bool:
    return before is None or worker != before.model_copy(update={"heartbeat_at": worker.heartbeat_at})
