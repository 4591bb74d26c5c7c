"""How much an account may store beside the agent's store: snapshots of its datasets and what is attached to its
actions, in bytes; rows of its knowledge bases."""

from __future__ import annotations

from agent.core.ports import Blobs, KnowledgeBases, Snapshots
from agent.core.ports.limits import LimitStore
from agent.core.wire import RowLimit, StoredLimit


class Storing:
    def __init__(self, store: LimitStore, snapshots: Snapshots, blobs: Blobs, bases: KnowledgeBases) -> None:
        self._store = store
        self._snapshots = snapshots
        self._blobs = blobs
        self._bases = bases

    async def limit(self, account_id: str) -> StoredLimit | None:
        """For whoever puts a file into its place; None: as much as there is disk."""
        most = (await self._store.account_limits(account_id)).stored_bytes
        return None if most is None else StoredLimit(most=most, folders=self._folders(account_id))

    async def row_limit(self, account_id: str) -> RowLimit | None:
        """For whoever brings rows into a knowledge base; None: any number."""
        most = (await self._store.account_limits(account_id)).knowledge_rows
        if most is None:
            return None
        return RowLimit(account_id=account_id, most=most, folder=self._bases.folder(account_id))

    async def used(self, account_id: str) -> int:
        """Bytes."""
        return await self._blobs.size(self._folders(account_id))

    async def rows(self, account_id: str) -> int:
        """In all its knowledge bases."""
        return await self._bases.rows(account_id)

    def _folders(self, account_id: str) -> list[str]:
        return [self._snapshots.folder(account_id), self._blobs.folder(account_id)]
