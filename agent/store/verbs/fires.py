"""The ledger of fires."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from agent.core.records import ClaimedRun, DueJob, Lease, SettledJob
from agent.store.engine.withheld import Withheld
from agent.store.fires import ahead, fires, settlement
from agent.store.verbs.base import Verbs
from shared.models import (
    Fire,
    Run,
)

MANY = 50
"""Fires settled together that go before the ends of runs."""


class FireVerbs(Verbs):
    async def due_jobs(self, now: datetime, limit: int) -> list[DueJob]:
        return await self._read(fires.due, now, limit)

    async def due_state(self, account_id: str, job_id: str) -> DueJob:
        return await self._read(fires.state, account_id, job_id)

    async def next_due(self) -> datetime | None:
        return await self._read(fires.next_due)

    async def settle(self, settled: Sequence[SettledJob], now: datetime) -> list[Run]:
        # Where many start at once, ends that have come in wait a little: what is over loses nothing by it.
        many = len(settled) >= MANY
        return await self._writer.submit(
            lambda connection: settlement.settle(connection, settled, now), stirs=True, hurries=many
        )

    def settle_ahead(
        self,
        settled: Sequence[SettledJob],
        moment: datetime,
        lease: Callable[[], Lease | None],
        heard: Callable[[bool], None],
    ) -> Withheld[list[ClaimedRun]]:
        return self._writer.withhold(lambda: ahead.settling(settled, moment, lease()), heard)

    async def stale_zone_jobs(self, zone_data_version: str, limit: int) -> list[DueJob]:
        return await self._read(fires.stale_zone, zone_data_version, limit)

    async def list_fires(
        self,
        account_id: str,
        *,
        job_id: str | None = None,
        outcome: str | None = None,
        before: int | None = None,
        limit: int = 50,
        seen_by: str | None = None,
    ) -> list[Fire]:
        return await self._read(fires.list_page, account_id, job_id, outcome, before, limit, seen_by)

    async def late_jobs(self, before: datetime, last: DueJob | None, limit: int) -> list[DueJob]:
        return await self._read(fires.late, before, last, limit)
