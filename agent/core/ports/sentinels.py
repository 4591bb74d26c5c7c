"""What is remembered of each job to tell when it is unlike itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from agent.core.sentinels.records import Judged, LongRun, News, WatchedJob
from shared.models import Sentinel, SentinelKind


class SentinelStore(Protocol):
    """What the sentinels remember of jobs, and what they have told."""

    async def sentinel_news(self, cursor: int | None, limit: int) -> News:
        """What was committed behind event `cursor` (None: behind what was last judged), at most `limit` events of it."""

    async def running_too_long(self, now: datetime) -> list[LongRun]:
        """By the wall clock, and not told yet."""

    async def unheard_jobs(self, now: datetime, limit: int) -> list[int]:
        """Numbers of jobs whose `overdue_at` has come, by index."""

    async def watched_jobs(self, numbers: Sequence[int], unheard: Sequence[int]) -> list[WatchedJob]:
        """These jobs; of those in `unheard` with the oldest active run."""

    async def write_judged(self, judged: Sequence[Judged], cursor: int | None, now: datetime) -> None:
        """What a look made of jobs, and up to which event it has heard (None: as before)."""

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
        """Newest first, keyed by number; of jobs that this user may see (None: all)."""  # fmt: skip

    async def get_sentinel(self, account_id: str, sentinel_id: str) -> Sentinel: ...

    async def acknowledge_sentinel(self, account_id: str, sentinel_id: str, by: str, now: datetime) -> Sentinel:
        """Somebody knows of it. A second time, or after it closed, changes nothing."""

    async def count_open_sentinels(self, account_id: str) -> dict[tuple[SentinelKind, bool], int]:
        """By kind, and whether somebody knows."""

    async def prune_sentinels(self, before: datetime) -> int:
        """Delete those that closed before; returns how many."""
