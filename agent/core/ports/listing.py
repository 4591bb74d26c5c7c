"""Runs as lists for machines have them: few fields, few filters, pages that neither skip nor repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.states import RunState


@dataclass(frozen=True, slots=True)
class ListingQuery:
    """All given are ANDed. Newest first."""

    account_id: str
    seen_by: str | None = None
    run_id: str | None = None
    base_numbers: tuple[int, ...] | None = None
    base_names: tuple[str, ...] | None = None
    """Runs that work with any of these knowledge bases; None: whatever they work with."""
    states: tuple[RunState, ...] | None = None
    since: datetime | None = None
    """Made then or later."""
    before: int | None = None
    """Keyset: only runs whose number is smaller."""
    limit: int = 10


@dataclass(frozen=True, slots=True)
class ListedRun:
    number: int
    id: str
    type: str
    state: RunState
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    owner: str | None
    """The handle of whose job it is."""
    bases: tuple[tuple[int, str], ...] = ()
    """Number and name of each knowledge base that it works with and that is still there."""


class ListingStore(Protocol):
    async def listed_runs(self, query: ListingQuery) -> Sequence[ListedRun]: ...

    async def account_number(self, account_id: str) -> int:
        """The account's integer id. NotFound."""
