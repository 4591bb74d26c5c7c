"""Runs, from their making to their end."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.core.permissions.audit import acting
from agent.core.ports.runs import Foresight
from agent.core.records import (
    Ahead,
    ClaimedRun,
    Fence,
    NewRun,
    Outcome,
    RunPage,
    RunQuery,
    RunUpdate,
    Tally,
)
from agent.store.lists import run_queries
from agent.store.lists.walking import Patience
from agent.store.permissions import audit
from agent.store.runs import cancels, claims, leases, outcomes, promises, runs, updates
from agent.store.runs.offers import Offer
from agent.store.verbs.base import Verbs
from shared.models import (
    Run,
    Step,
)


class RunVerbs(Verbs):
    async def insert_runs(self, new: Sequence[NewRun], now: datetime) -> list[Run]:
        who = acting()
        if who is None:
            return list(await self._writer.submit_each(runs.insert_asked, new, now, stirs=True))
        given = [(run, who) for run in new]
        return list(await self._writer.submit_each(audit.insert_runs, given, now, stirs=True))

    def claim(
        self,
        worker_ids: Sequence[str],
        agent_id: str,
        lease_until: datetime,
        now: datetime,
        ahead: Ahead | None = None,
        foresight: Foresight | None = None,
    ) -> Awaitable[list[ClaimedRun]]:
        def offer(connection: sa.Connection) -> Offer:
            return Offer(connection, worker_ids[0], agent_id, lease_until, now)

        return self._writer.submit(
            lambda connection: claims.claim(connection, worker_ids, agent_id, lease_until, now, ahead),
            foresight=foresight,
            offer=offer if worker_ids else None,
        )

    async def give_back(self, fences: Sequence[Fence], now: datetime) -> None:
        await self._writer.submit(lambda connection: promises.give_back(connection, fences, now), bides=True)

    async def update_runs(self, changes: Sequence[RunUpdate], now: datetime) -> list[Fence]:
        held = await self._writer.submit_each(updates.write, changes, now, bides=True)
        return [each.fence for each, holds in zip(changes, held, strict=True) if not holds]

    async def extend_leases(self, fences: Sequence[Fence], until: datetime, now: datetime) -> list[Fence]:  # noqa: ARG002  # the fence alone judges
        return await self._writer.submit(lambda connection: leases.extend(connection, fences, until), bides=True)

    async def finish(self, ended: Sequence[Outcome], now: datetime) -> list[Run]:
        moved = await self._writer.submit_each(outcomes.finish, ended, now, stirs=True, patient=True)
        return [run for run in moved if run is not None]

    async def request_cancel(
        self,
        run_ids: Sequence[str],
        by: str,
        deadline: datetime | None,
        now: datetime,
        *,
        due: datetime | None = None,
    ) -> list[Run]:
        return await self._write(cancels.request, run_ids, by, deadline, now, due)

    async def withdraw_cancels(self, run_ids: Sequence[str], now: datetime) -> list[Run]:
        return await self._write(cancels.withdraw, run_ids, now)

    async def carry_out_cancels(self, now: datetime, limit: int) -> list[Run]:
        return await self._write(cancels.carry_out, limit, now)

    async def next_cancel_due(self) -> datetime | None:
        return await self._read(cancels.next_due)

    async def expired_leases(self, now: datetime) -> list[ClaimedRun]:
        return await self._read(leases.expired, now)

    async def leases_of_other_agents(self, agent_id: str) -> list[ClaimedRun]:
        return await self._read(leases.of_other_agents, agent_id)

    async def next_available(self, now: datetime) -> datetime | None:
        return await self._read(claims.next_available, now)

    async def get_run(self, account_id: str, run_id: str) -> Run:
        return await self._read(run_queries.get, account_id, run_id, self._clock.now())

    async def list_runs(self, query: RunQuery) -> list[Run]:
        return (await self.page_runs(query, math.inf)).runs

    async def page_runs(self, query: RunQuery, seconds: float) -> RunPage:
        patience = Patience.of(self._clock.monotonic, seconds)
        return await self._read(run_queries.list_page, query, self._clock.now(), patience)

    async def count_by_state(self, account_id: str, where: Any = None) -> dict[str, int]:
        return (await self.tally_runs(account_id, where, math.inf)).counts

    async def tally_runs(self, account_id: str, where: Any, seconds: float, seen_by: str | None = None) -> Tally:
        patience = Patience.of(self._clock.monotonic, seconds)
        return await self._read(run_queries.count_by_state, account_id, where, self._clock.now(), patience, seen_by)

    async def steps(self, run_id: str) -> list[Step]:
        return await self._read(run_queries.list_steps, run_id)

    async def attempts(self, run_id: str) -> list[dict[str, Any]]:
        return await self._read(run_queries.list_attempts, run_id)
