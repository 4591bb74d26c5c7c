"""All jobs that a caller may read, with what it may do with each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.rules import job_permissions, seen_by
from agent.core.ports import Drivers, Store
from agent.core.records import JobHead
from shared.models.share import JobPermissions, Share

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SeenJob:
    head: JobHead
    shares: list[Share]
    permissions: JobPermissions


class Overview:
    def __init__(self, store: Store, drivers: Drivers) -> None:
        self._store = store
        self._drivers = drivers

    async def pages(self, caller: Caller) -> AsyncIterator[list[SeenJob]]:
        """By name, some hundred at once: however many there are, nothing waits for them all."""
        caller.require(Scope.READ)
        last: JobHead | None = None
        while heads := await self._store.job_heads(caller.account_id, last, AT_ONCE, seen_by=seen_by(caller)):
            yield await self._seen(caller, heads)
            last = heads[-1]

    async def _seen(self, caller: Caller, heads: list[JobHead]) -> list[SeenJob]:
        owners = {head.id: head.owner_id for head in heads}
        standings = await self._store.standings(caller.account_id, "job", owners, caller.user_id)
        shares = await self._store.shares_of(caller.account_id, "job", list(owners))
        return [
            SeenJob(
                head=head,
                shares=shares.get(head.id, []),
                permissions=job_permissions(caller, standings[head.id], self._drivers.find(head.type)),
            )
            for head in heads
        ]
