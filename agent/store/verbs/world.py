"""Who asks, and what jobs work with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agent.core.records import (
    TokenRecord,
)
from agent.store import (
    world,
)
from agent.store.verbs.base import Verbs
from shared.models import (
    Connection,
    KnowledgeBase,
    TokenInfo,
    Worker,
)


class WorldVerbs(Verbs):
    async def ensure_account(self, account_id: str, owner_id: str, handle: str, now: datetime) -> None:
        await self._write(world.ensure_account, account_id, owner_id, handle, now)

    async def find_owner(self, account_id: str) -> tuple[str, str]:
        return await self._read(world.find_owner, account_id)

    async def insert_token(self, token: TokenRecord) -> None:
        await self._write(world.insert_token, token)

    async def find_token(self, token_hash: str) -> TokenRecord | None:
        return await self._read(world.find_token, token_hash)

    async def touch_tokens(self, used: dict[str, datetime]) -> None:
        await self._write(world.touch_tokens, used)

    async def list_tokens(self, account_id: str) -> list[TokenInfo]:
        return await self._read(world.list_tokens, account_id)

    async def revoke_token(self, account_id: str, token_id: str, now: datetime) -> None:
        await self._write(world.revoke_token, account_id, token_id, now)

    async def put_secret(self, account_id: str, name: str, ciphertext: bytes, now: datetime) -> None:
        await self._write(world.put_secret, account_id, name, ciphertext, now)

    async def get_secret(self, account_id: str, name: str) -> bytes:
        return await self._read(world.get_secret, account_id, name)

    async def list_secrets(self, account_id: str) -> list[tuple[str, datetime]]:
        return await self._read(world.list_secrets, account_id)

    async def delete_secret(self, account_id: str, name: str) -> None:
        await self._write(world.delete_secret, account_id, name)

    async def insert_connection(self, connection: Connection) -> Connection:
        return await self._write(world.insert_connection, connection)

    async def get_connection(self, account_id: str, key: str) -> Connection:
        return await self._read(world.get_connection, account_id, key)

    async def list_connections(self, account_id: str) -> list[Connection]:
        return await self._read(world.list_connections, account_id)

    async def delete_connection(self, account_id: str, key: str) -> None:
        await self._write(world.delete_connection, account_id, key, self._clock.now())

    async def insert_knowledge_base(self, base: KnowledgeBase) -> KnowledgeBase:
        return await self._write(world.insert_knowledge_base, base)

    async def get_knowledge_base(self, account_id: str, key: str) -> KnowledgeBase:
        return await self._read(world.get_knowledge_base, account_id, key)

    async def list_knowledge_bases(self, account_id: str) -> list[KnowledgeBase]:
        return await self._read(world.list_knowledge_bases, account_id)

    async def delete_knowledge_base(self, account_id: str, key: str) -> None:
        await self._write(world.delete_knowledge_base, account_id, key, self._clock.now())

    async def put_workers(self, seen: Sequence[Worker], now: datetime) -> None:
        await self._write(world.put_workers, seen, now)

    async def list_workers(self) -> list[Worker]:
        return await self._read(world.list_workers)
