"""What a job's runs came to, as the core needs it stored."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from agent.core.records import PastRun


class HistoryStore(Protocol):
    async def past_runs(
        self, job_id: str, *, newest_first: bool = True, limit: int = 30, start: int = 0
    ) -> tuple[list[PastRun], int]:
        """A page of the job's runs that are over, in the order of their making, and how many there are."""

    async def past_run(self, job_id: str, run_id: str) -> PastRun:
        """NotFound unless it is one of the job's, over, and still kept."""

    async def delete_past_run(self, account_id: str, run_id: str, now: datetime) -> None:
        """With all that is its; the log follows (see `gone_runs`). Conflict unless it is over."""
