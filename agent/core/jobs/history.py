"""The history of a job: what its runs came to. Every act begins with who asks."""

from __future__ import annotations

from agent.core.permissions.access import Access
from agent.core.permissions.callers import Caller
from agent.core.permissions.rules import Act
from agent.core.ports import Store
from agent.core.records import PastRun
from shared.clock import Clock


class History:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._access = Access(store)
        self._clock = clock

    async def list(
        self, caller: Caller, key: str, *, newest_first: bool, limit: int, start: int
    ) -> tuple[list[PastRun], int]:
        """A page of the runs that are over, and how many there are."""
        job = await self._access.job(caller, key, Act.READ)
        return await self._store.past_runs(job.id, newest_first=newest_first, limit=limit, start=start)

    async def get(self, caller: Caller, key: str, run_id: str) -> PastRun:
        """NotFound for one that is not over: it is no history yet."""
        job = await self._access.job(caller, key, Act.READ)
        return await self._store.past_run(job.id, run_id)

    async def delete(self, caller: Caller, key: str, run_id: str) -> None:
        """As if its time were over: the run, its steps and its log. Its fire stays in the ledger."""
        job = await self._access.job(caller, key, Act.DELETE)
        past = await self._store.past_run(job.id, run_id)
        await self._store.delete_past_run(job.account_id, past.run.id, self._clock.now())
