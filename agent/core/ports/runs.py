"""Runs, from their making to their end."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any, Protocol

from agent.core.records import Ahead, ClaimedRun, Fence, NewRun, Outcome, RunPage, RunQuery, RunUpdate, Tally
from shared.models import Run, Step


class Foresight(Protocol):
    """Of who can make ready for a claim while it is being committed."""

    def foresee(self, claimed: Sequence[ClaimedRun]) -> None:
        """So it will be, if the commit that is on its way succeeds. Called for no empty claim."""

    def confirm(self) -> None:
        """It is on the disk. Said on a thread of the store, before `decide` and, should the disk be fast, before `foresee`."""

    def decide(self, *, kept: bool) -> None:
        """It is on the disk, or never was: told before anybody else hears of it, and only after `foresee`."""


class RunStore(Protocol):
    async def insert_runs(self, runs: Sequence[NewRun], now: datetime) -> list[Run]:
        """LimitReached where the account has as many that wait as it may."""

    def claim(
        self,
        worker_ids: Sequence[str],
        agent_id: str,
        lease_until: datetime,
        now: datetime,
        ahead: Ahead | None = None,
        foresight: Foresight | None = None,
    ) -> Awaitable[list[ClaimedRun]]:
        """Queued by the call itself (see `ride`). Give each of the workers at most one due run (pending or retrying,
        available_at <= now), by priority, then number. Limits of concurrency keys and chained order are checked in the
        same transaction. A pending run of a job whose window has closed is cancelled with reason instead of claimed.
        Attempt goes up by one.

        Those that come next may be promised to the places `ahead`, if it is their first attempt and no concurrency key
        limits them: leased and fenced like the others, but pending, and so told, until `update_runs` or `finish` says
        that they began. Who asks to cancel one marks it, as one that runs."""

    async def give_back(self, fences: Sequence[Fence], now: datetime) -> None:
        """Promised runs that their workers have not begun wait for any worker again, as if they had never been claimed.
        What was to be cancelled meanwhile is cancelled; a fence that does not hold, or whose run began, changes nothing."""

    async def update_runs(self, updates: Sequence[RunUpdate], now: datetime) -> list[Fence]:
        """Write progress, steps, checkpoint, warnings under the fence; returns the fences that no longer hold."""

    async def extend_leases(self, fences: Sequence[Fence], until: datetime, now: datetime) -> list[Fence]:
        """Heartbeat; returns the fences that no longer hold."""

    async def finish(self, outcomes: Sequence[Outcome], now: datetime) -> list[Run]:
        """Guarded moves to a final state or to retrying. An outcome whose fence is stale changes nothing but is kept
        as evidence beside the run. Returns the runs that moved."""

    async def request_cancel(
        self,
        run_ids: Sequence[str],
        by: str,
        deadline: datetime | None,
        now: datetime,
        *,
        due: datetime | None = None,
    ) -> list[Run]:
        """Running runs get the mark. Pending and retrying ones become cancelled at once; or, with `due`, get the mark
        too and a new version, keep their state, and are not claimed: `carry_out_cancels` ends them. One that bears
        the mark already keeps its moment. Returns all that changed."""

    async def withdraw_cancels(self, run_ids: Sequence[str], now: datetime) -> list[Run]:
        """Take the mark from those whose cancel has not taken effect yet; running ones keep it. Returns them."""

    async def carry_out_cancels(self, now: datetime, limit: int) -> list[Run]:
        """Cancel the pending and retrying runs whose cancel is due, earliest first, at most `limit`."""

    async def next_cancel_due(self) -> datetime | None:
        """When the earliest cancel that waits takes effect."""

    async def expired_leases(self, now: datetime) -> list[ClaimedRun]: ...

    async def leases_of_other_agents(self, agent_id: str) -> list[ClaimedRun]:
        """Running runs whose worker belongs to another agent than this one: at start-up, those of the one before."""

    async def next_available(self, now: datetime) -> datetime | None:
        """When the earliest pending or retrying run that is not due yet becomes due."""

    async def get_run(self, account_id: str, run_id: str) -> Run: ...

    async def list_runs(self, query: RunQuery) -> list[Run]:
        """The page of `page_runs`, however long it takes."""

    async def page_runs(self, query: RunQuery, seconds: float) -> RunPage:
        """What is found newest first within about that time, and where to go on; each answer is further than the last."""

    async def count_by_state(self, account_id: str, where: Any = None) -> dict[str, int]:
        """Every state with its count, of the runs that match the parsed filter `where`."""

    async def tally_runs(self, account_id: str, where: Any, seconds: float, seen_by: str | None = None) -> Tally:
        """The same, as far as it comes within about that time, of what that user may see (None: all)."""

    async def steps(self, run_id: str) -> list[Step]: ...

    async def attempts(self, run_id: str) -> list[dict[str, Any]]: ...
