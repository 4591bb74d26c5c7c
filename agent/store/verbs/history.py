"""What a job's runs came to."""

from __future__ import annotations

from datetime import datetime

from agent.core.records import PastRun
from agent.store.lists import history
from agent.store.verbs.base import Verbs


class HistoryVerbs(Verbs):
    async def past_runs(
        self, job_id: str, *, newest_first: bool = True, limit: int = 30, start: int = 0
    ) -> tuple[list[PastRun], int]:
        return await self._read(history.page, job_id, newest_first=newest_first, limit=limit, start=start)

    async def past_run(self, job_id: str, run_id: str) -> PastRun:
        return await self._read(history.get, job_id, run_id)

    async def delete_past_run(self, account_id: str, run_id: str, now: datetime) -> None:
        await self._write(history.delete, account_id, run_id, now)
