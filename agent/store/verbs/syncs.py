"""Runs of syncs and resets."""

from __future__ import annotations

from agent.core.ports.syncs import SyncEvent, SyncJobs, SyncQuery, SyncRun
from agent.core.records import RunVariant
from agent.store.runs import variants
from agent.store.verbs.base import Verbs
from agent.store.world import sync_jobs, syncs
from shared.states import RunState


class SyncVerbs(Verbs):
    async def sync_runs(self, query: SyncQuery) -> tuple[list[SyncRun], int]:
        return await self._read(syncs.page, query)

    async def sync_jobs(
        self, account_id: str, seen_by: str | None, job_id: str | None, limit: int, offset: int
    ) -> SyncJobs:
        return await self._read(sync_jobs.page, account_id, seen_by, job_id, limit, offset)

    async def sync_events(
        self,
        account_id: str,
        seen_by: str | None,
        job_id: str,
        kind: str | None,
        states: tuple[RunState, ...] | None,
        limit: int,
        offset: int,
    ) -> tuple[list[SyncEvent], int] | None:
        return await self._read(sync_jobs.events, account_id, seen_by, job_id, kind, states, limit, offset)

    async def run_variant(self, run_id: str) -> RunVariant | None:
        return await self._read(variants.get, run_id)
