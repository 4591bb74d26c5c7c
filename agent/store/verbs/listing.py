"""Runs as lists for machines have them."""

from __future__ import annotations

from agent.core.ports.listing import ListedRun, ListingQuery
from agent.store.lists import listing
from agent.store.verbs.base import Verbs


class ListingVerbs(Verbs):
    async def listed_runs(self, query: ListingQuery) -> list[ListedRun]:
        return await self._read(listing.page, query)

    async def account_number(self, account_id: str) -> int:
        return await self._read(listing.account_number, account_id)
