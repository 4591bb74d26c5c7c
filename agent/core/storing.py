"""How much an account may store in files: snapshots of its datasets, and what is attached to its actions."""

from __future__ import annotations

from agent.core.ports import Blobs, Snapshots
from agent.core.ports.limits import LimitStore
from agent.core.wire import StoredLimit


class Storing:
    def __init__(self, store: LimitStore, snapshots: Snapshots, blobs: Blobs) -> None:
        self._store = store
        self._snapshots = snapshots
        self._blobs = blobs

    async def limit(self, account_id: str) -> StoredLimit | None:
        """For whoever puts a file into its place; None: as much as there is disk."""
        most = (await self._store.account_limits(account_id)).stored_bytes
        return None if most is None else StoredLimit(most=most, folders=self._folders(account_id))

    async def used(self, account_id: str) -> int:
        """Bytes."""
        return await self._blobs.size(self._folders(account_id))

    def _folders(self, account_id: str) -> list[str]:
        return [self._snapshots.folder(account_id), self._blobs.folder(account_id)]
