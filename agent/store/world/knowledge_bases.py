"""Knowledge bases."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from agent.store import events
from agent.store.permissions import shares
from agent.store.permissions.visibility import resource_seen_by
from agent.store.tables import knowledge_bases
from agent.store.world import named
from shared.models import KnowledgeBase


def insert_knowledge_base(connection: sa.Connection, base: KnowledgeBase) -> KnowledgeBase:
    named.check_free(connection, knowledge_bases, "knowledge base", base.account_id, base.name)
    connection.execute(sa.insert(knowledge_bases).values(base.model_dump(exclude={"number"})))
    shares.tell_if_private(connection, base.account_id, "knowledge_base", base.id, base.visibility, base.created_at)
    events.record(connection, "knowledge_base.changed", [(base.account_id, base.id, {"id": base.id})], base.created_at)
    return get_knowledge_base(connection, base.account_id, base.id)


def get_knowledge_base(connection: sa.Connection, account_id: str, key: str) -> KnowledgeBase:
    return KnowledgeBase.model_validate(named.find(connection, knowledge_bases, "knowledge base", account_id, key))


def list_knowledge_bases(connection: sa.Connection, account_id: str, seen_by: str | None = None) -> list[KnowledgeBase]:
    seen = resource_seen_by(knowledge_bases, "knowledge_base", seen_by)
    query = sa.select(knowledge_bases).where(knowledge_bases.c.account_id == account_id, *seen)
    found = connection.execute(query.order_by(knowledge_bases.c.name)).mappings()
    return [KnowledgeBase.model_validate(row) for row in found]


def delete_knowledge_base(connection: sa.Connection, account_id: str, key: str, now: datetime) -> None:
    found = named.find(connection, knowledge_bases, "knowledge base", account_id, key)
    connection.execute(sa.delete(knowledge_bases).where(knowledge_bases.c.id == found["id"]))
    shares.forget(connection, account_id, "knowledge_base", found["id"])
    told = [(account_id, found["id"], {"id": found["id"], "deleted": True})]
    events.record(connection, "knowledge_base.changed", told, now)
