"""What jobs work with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from shared.models import Connection, JobUsers, KnowledgeBase, Worker

Used = Literal["connection", "knowledge_base", "secret", "dataset"]
"""What is noted of each job, by name, that it works with it."""


class WorldStore(Protocol):
    """Connections, knowledge bases, workers."""

    async def insert_connection(self, connection: Connection) -> Connection: ...

    async def get_connection(self, account_id: str, key: str) -> Connection:
        """By id or name."""

    async def list_connections(self, account_id: str, seen_by: str | None = None) -> list[Connection]: ...

    async def replace_connection(self, changed: Connection, now: datetime) -> Connection:
        """Conflict for a name that is taken, or another than jobs go by."""

    async def delete_connection(self, account_id: str, key: str) -> None: ...

    async def insert_knowledge_base(self, base: KnowledgeBase) -> KnowledgeBase:
        """`number` is assigned by the store."""

    async def get_knowledge_base(self, account_id: str, key: str) -> KnowledgeBase: ...

    async def list_knowledge_bases(self, account_id: str, seen_by: str | None = None) -> list[KnowledgeBase]: ...

    async def delete_knowledge_base(self, account_id: str, key: str) -> None: ...

    async def job_users(self, account_id: str, kind: Used, keys: Sequence[str], seen_by: str | None = None) -> JobUsers:
        """Who works now with what has these keys: what definitions may name it by."""

    async def put_workers(self, workers: Sequence[Worker], now: datetime) -> None: ...

    async def list_workers(self) -> list[Worker]: ...
