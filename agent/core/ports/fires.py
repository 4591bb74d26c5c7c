"""Fires: what is due, what becomes of it, and what is held for an operator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from agent.core.records import ClaimedRun, DueJob, Held, Lease, NewRun, NextTurn, SettledJob
from shared.models import Fire, HeldDecision, HeldJob, Run


class AheadOfTime(Protocol):
    """Fires of a moment, their runs and the promises of those, written before the moment but for the commit."""

    @property
    def written(self) -> asyncio.Future[list[ClaimedRun] | None]:
        """What was promised, should it be committed; None: it was dropped."""

    @property
    def over(self) -> asyncio.Future[bool]:
        """Whether it was committed."""

    def commit(self) -> None:
        """Nothing happens unless it is written and not dropped."""

    def drop(self) -> None:
        """As if it had never been; nothing happens where it is committed."""


class FireStore(Protocol):
    async def due_jobs(self, now: datetime, limit: int) -> list[DueJob]:
        """Enabled, not deleted jobs with next_fire_at <= now, by index, earliest first. Paused ones are left out."""

    async def due_state(self, account_id: str, job_id: str) -> DueJob:
        """The same of one job, due or not, paused or not. NotFound."""

    async def next_due(self) -> datetime | None:
        """The earliest next_fire_at of all enabled, unpaused jobs."""

    async def settle(self, settled: Sequence[SettledJob], now: datetime) -> list[Run]:
        """Ledger rows, runs, next fire times and high-water marks of many jobs in one transaction.
        A job whose version moved is left as it is. Returns the runs created. `cancel_running` marks the
        job's active runs as asked to cancel (pending ones become cancelled)."""

    def settle_ahead(
        self,
        settled: Sequence[SettledJob],
        moment: datetime,
        lease: Callable[[], Lease | None],
        heard: Callable[[bool], None],
    ) -> AheadOfTime:
        """`settle` as of a moment that has not come, in a transaction of which nothing is seen until it is told to
        commit; nobody else writes meanwhile. It begins when nothing else waits to be written; `lease` is asked then who
        may have the runs. Whoever has something to write drops it, but for what running work says: so all that is
        acknowledged before the moment counts. `heard` is told whether it was committed, before all others are."""

    async def stale_zone_jobs(self, zone_data_version: str, limit: int) -> list[DueJob]:
        """Jobs whose next fire was computed with other zone data."""

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
        """Newest first, keyed by id; of jobs that this user may see (None: all)."""  # fmt: skip


class BacklogStore(Protocol):
    """Missed fires that are still to run. Each has its one ledger row: `held`, until it is decided."""

    async def late_jobs(self, before: datetime, last: DueJob | None, limit: int) -> list[DueJob]:
        """Of `due_jobs` those due before that moment, earliest first, behind `last`."""

    async def held_up_to(self) -> datetime | None:
        """Missed moments until then wait for an operator, all jobs together."""

    async def hold_up_to(self, moment: datetime) -> None: ...

    async def backlog(self, account_id: str, job_id: str | None = None, seen_by: str | None = None) -> list[HeldJob]:
        """By job, those whose oldest fire is the oldest first; of jobs that this user may see (None: all)."""

    async def count_held(self, account_id: str) -> dict[str, int]:
        """How many fires are held, by reason."""

    async def release(self, which: Held, by: str, now: datetime, *, latest_only: bool) -> HeldDecision:
        """Those that wait for an operator now wait for their turn; of a job whose window is over they are skipped; of
        one that is paused or disabled they are left. What is released already is not touched: doing it twice is
        doing it once."""

    async def discard(self, which: Held, by: str, now: datetime) -> HeldDecision:
        """All that are held become missed, whatever they wait for."""

    async def next_turns(self, limit: int) -> list[NextTurn]:
        """The oldest fire that waits for its turn of every job that may start one: not paused, not disabled, no
        caught-up run active. Oldest first; no more than may wait for a worker together with those that do (`limit`)."""

    async def take_turns(self, turns: Sequence[tuple[NextTurn, NewRun]], now: datetime) -> list[Run]:
        """Make the runs, and their fires `started`; those that were decided meanwhile are left out, and those whose
        window is over are skipped with all that wait behind them. Returns the runs made."""
