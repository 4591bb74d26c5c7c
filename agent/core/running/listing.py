"""Runs listed for machines: pages of what the caller may read, each with the key of the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.rules import seen_by
from agent.core.ports.listing import ListedRun, ListingQuery, ListingStore
from agent.core.running.page_keys import PageKeys
from shared.ids import is_id
from shared.states import RunState


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs; all given are ANDed, as in ListingQuery."""

    run_id: str | None = None
    base_numbers: tuple[int, ...] | None = None
    base_names: tuple[str, ...] | None = None
    states: tuple[RunState, ...] | None = None
    since: datetime | None = None
    limit: int = 10


@dataclass(frozen=True, slots=True)
class ListedPage:
    runs: Sequence[ListedRun]
    key: str | None
    """Of the next page; None: this was the last."""


class Listing:
    """`purpose` is what a key is for: it opens nothing of another."""

    def __init__(self, store: ListingStore, keys: PageKeys) -> None:
        self._store = store
        self._keys = keys

    async def first(self, caller: Caller, wanted: Wanted, purpose: str) -> ListedPage:
        caller.require(Scope.READ)
        if wanted.run_id is not None and not is_id(wanted.run_id):
            return ListedPage([], None)
        return await self._page(caller, wanted, None, purpose)

    async def next(self, caller: Caller, key: str, purpose: str) -> ListedPage:
        """The page that the key is of, whatever else is asked. BadPageKey."""
        caller.require(Scope.READ)
        wanted, before = _from_place(self._keys.open(purpose, caller.account_id, key))
        return await self._page(caller, wanted, before, purpose)

    async def is_account(self, caller: Caller, said: str) -> bool:
        """Whether that is the caller's account, by its id or its number."""
        return said in (caller.account_id, str(await self._store.account_number(caller.account_id)))

    async def _page(self, caller: Caller, wanted: Wanted, before: int | None, purpose: str) -> ListedPage:
        query = ListingQuery(
            account_id=caller.account_id,
            seen_by=seen_by(caller),
            run_id=None if wanted.run_id is None else wanted.run_id.lower(),
            base_numbers=wanted.base_numbers,
            base_names=wanted.base_names,
            states=wanted.states,
            since=wanted.since,
            before=before,
            limit=wanted.limit + 1,
        )
        found = await self._store.listed_runs(query)
        shown = found[: wanted.limit]
        if len(found) == len(shown):
            return ListedPage(shown, None)
        place = _to_place(wanted, shown[-1].number)
        return ListedPage(shown, self._keys.seal(purpose, caller.account_id, place))


def _to_place(wanted: Wanted, before: int) -> dict[str, Any]:
    return {
        "before": before,
        "run": wanted.run_id,
        "numbers": wanted.base_numbers,
        "names": wanted.base_names,
        "states": wanted.states,
        "since": None if wanted.since is None else wanted.since.isoformat(),
        "limit": wanted.limit,
    }


def _from_place(place: dict[str, Any]) -> tuple[Wanted, int]:
    since, states = place["since"], place["states"]
    wanted = Wanted(
        run_id=place["run"],
        base_numbers=_tuple(place["numbers"]),
        base_names=_tuple(place["names"]),
        states=None if states is None else tuple(RunState(state) for state in states),
        since=None if since is None else datetime.fromisoformat(since).astimezone(UTC),
        limit=place["limit"],
    )
    return wanted, place["before"]


def _tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)
