"""What jobs work with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agent.core.ports.world import Used
from agent.store.jobs import uses
from agent.store.verbs.base import Verbs
from agent.store.world import connections, knowledge_bases, workers
from shared.models import Connection, JobUsers, KnowledgeBase, Worker


class WorldVerbs(Verbs):
    async def insert_connection(self, connection: Connection) -> Connection:
        return await self._write(connections.insert_connection, connection)

    async def get_connection(self, account_id: str, key: str) -> Connection:
        return await self._read(connections.get_connection, account_id, key)

    async def list_connections(self, account_id: str, seen_by: str | None = None) -> list[Connection]:
        return await self._read(connections.list_connections, account_id, seen_by)

    async def replace_connection(self, changed: Connection, now: datetime) -> Connection:
        return await self._write(connections.replace_connection, changed, now)

    async def delete_connection(self, account_id: str, key: str) -> None:
        await self._write(connections.delete_connection, account_id, key, self._clock.now())

    async def insert_knowledge_base(self, base: KnowledgeBase) -> KnowledgeBase:
        return await self._write(knowledge_bases.insert_knowledge_base, base)

    async def get_knowledge_base(self, account_id: str, key: str) -> KnowledgeBase:
        return await self._read(knowledge_bases.get_knowledge_base, account_id, key)

    async def list_knowledge_bases(self, account_id: str, seen_by: str | None = None) -> list[KnowledgeBase]:
        return await self._read(knowledge_bases.list_knowledge_bases, account_id, seen_by)

    async def delete_knowledge_base(self, account_id: str, key: str) -> None:
        await self._write(knowledge_bases.delete_knowledge_base, account_id, key, self._clock.now())

    async def job_users(self, account_id: str, kind: Used, keys: Sequence[str], seen_by: str | None = None) -> JobUsers:
        return await self._read(uses.users, account_id, kind, keys, seen_by)

    async def put_workers(self, seen: Sequence[Worker], now: datetime) -> None:
        await self._writer.submit(lambda connection: workers.put_workers(connection, seen, now), bides=True)

    async def list_workers(self) -> list[Worker]:
        return await self._read(workers.list_workers)
