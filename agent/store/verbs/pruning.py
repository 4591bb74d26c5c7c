"""What goes when its time is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agent.core.records import OldRows, StoreSize
from agent.store import pruning
from agent.store.engine import space
from agent.store.identity import credentials
from agent.store.verbs.base import Verbs


class PruningVerbs(Verbs):
    async def old_runs(self, after: int, before: datetime, spare: int) -> OldRows:
        return await self._read(pruning.old_runs, after, before, spare)

    async def surplus_runs(self, keep: int, most: int) -> list[int]:
        return await self._read(pruning.surplus_runs, keep, most)

    async def delete_runs(self, numbers: Sequence[int]) -> int:
        return await self._write_aside(pruning.delete_runs, numbers)

    async def gone_runs(self, most: int) -> list[str]:
        return await self._read(pruning.gone, most)

    async def forget_gone_runs(self, run_ids: Sequence[str]) -> None:
        await self._write_aside(pruning.forget_gone, run_ids)

    async def old_fires(self, after: int, before: datetime, spare: int) -> OldRows:
        return await self._read(pruning.old_fires, after, before, spare)

    async def delete_fires(self, numbers: Sequence[int]) -> int:
        return await self._write_aside(pruning.delete_fires, numbers)

    async def named_blobs(self) -> frozenset[str]:
        return await self._read(pruning.named_blobs)

    async def dead_tokens(self, before: datetime, most: int) -> list[str]:
        return await self._read(credentials.dead_tokens, before, most)

    async def delete_tokens(self, token_ids: Sequence[str]) -> None:
        await self._write_aside(credentials.delete_tokens, token_ids, self._clock.now())

    async def prune_sessions(self, now: datetime, idle_since: datetime) -> int:
        return await self._write_aside(credentials.prune_sessions, now, idle_since)

    async def give_back_space(self) -> bool:
        return await self._write_aside(space.give_back)

    async def size(self) -> StoreSize:
        return await self._read(space.size)
