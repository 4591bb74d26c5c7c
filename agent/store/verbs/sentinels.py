"""What is unlike itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agent.core.sentinels.records import Judged, LongRun, News, WatchedJob
from agent.store.sentinels import sentinels, watching
from agent.store.verbs.base import Verbs
from shared.models import Sentinel, SentinelKind


class SentinelVerbs(Verbs):
    async def sentinel_news(self, cursor: int | None, limit: int) -> News:
        return await self._read(watching.news, cursor, limit)

    async def running_too_long(self, now: datetime) -> list[LongRun]:
        return await self._read(watching.running_too_long, now)

    async def unheard_jobs(self, now: datetime, limit: int) -> list[int]:
        return await self._read(watching.unheard, now, limit)

    async def watched_jobs(self, numbers: Sequence[int], unheard: Sequence[int]) -> list[WatchedJob]:
        return await self._read(watching.watched, numbers, unheard)

    async def write_judged(self, judged: Sequence[Judged], cursor: int | None, now: datetime) -> None:
        await self._write_aside(sentinels.write, judged, cursor, now)

    async def list_sentinels(
        self,
        account_id: str,
        *,
        job_id: str | None = None,
        kind: SentinelKind | None = None,
        is_open: bool | None = None,
        before: int | None = None,
        limit: int = 50,
        seen_by: str | None = None,
    ) -> list[Sentinel]:
        wanted = {"job_id": job_id, "kind": kind, "is_open": is_open, "before": before, "limit": limit}
        return await self._read(sentinels.list_page, account_id, **wanted, seen_by=seen_by)

    async def get_sentinel(self, account_id: str, sentinel_id: str) -> Sentinel:
        return await self._read(sentinels.get, account_id, sentinel_id)

    async def acknowledge_sentinel(self, account_id: str, sentinel_id: str, by: str, now: datetime) -> Sentinel:
        return await self._write(sentinels.acknowledge, account_id, sentinel_id, by, now)

    async def count_open_sentinels(self, account_id: str) -> dict[tuple[SentinelKind, bool], int]:
        return await self._read(sentinels.count_open, account_id)

    async def prune_sentinels(self, before: datetime) -> int:
        """In small transactions, so that nobody waits long behind it."""
        gone = 0
        while part := await self._write_aside(sentinels.prune, before, 1000):
            gone += part
        return gone
