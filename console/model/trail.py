"""What is known of the record of what was done: entries by id, and how far down nothing is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from console.model.changes import Changes

if TYPE_CHECKING:
    from shared.models.audit import AuditEntry

ENTRY = "audit:"
"""What the ids of entries begin with: their numbers alone could be anything."""
_COUNTING = timedelta(minutes=2)
"""For so long after its last, a refusal may still be counted up in its row."""


class Trail:
    """Pages come in any order. What a filter brought from further down is let go with it (`keep_whole`), so that no
    list shows a stretch with gaps as if it were all."""

    def __init__(self, limit: int = 10_000) -> None:
        self.limit = limit
        self.whole_from: int | None = None
        """From this number on nothing is missing; None: nothing was loaded yet."""
        self._entries: dict[str, AuditEntry] = {}
        self.entries: Mapping[str, AuditEntry] = MappingProxyType(self._entries)

    @property
    def newest(self) -> int:
        return max((entry.number for entry in self._entries.values()), default=0)

    @property
    def news_after(self) -> int:
        """Behind which number to ask for news: also of what may have been counted up meanwhile."""
        newest = self.newest
        latest = max((entry.last_at for entry in self._entries.values()), default=None)
        if latest is None:
            return newest
        open_ones = (
            entry.number
            for entry in self._entries.values()
            if entry.outcome == "refused" and entry.last_at > latest - _COUNTING
        )
        return min(newest, min(open_ones, default=newest + 1) - 1)

    def take(self, page: Iterable[AuditEntry], whole_from: int | None = None) -> Changes:
        """Merge a page. `whole_from`: with it nothing is missing from this number on."""
        changes = Changes()
        for entry in page:
            entry_id = f"{ENTRY}{entry.number}"
            known = self._entries.get(entry_id)
            if known is None:
                changes.added.add(entry_id)
            elif known != entry:
                changes.changed.add(entry_id)
            self._entries[entry_id] = entry
        if whole_from is not None:
            self.whole_from = whole_from if self.whole_from is None else min(whole_from, self.whole_from)
        return changes

    def keep_whole(self) -> Changes:
        """Let go of what lies below the stretch without gaps, and of the oldest beyond the limit."""
        floor = self.whole_from
        if len(self._entries) > self.limit:
            numbers = sorted(entry.number for entry in self._entries.values())
            floor = max(floor or 0, numbers[-self.limit])
            self.whole_from = floor
        gone = [key for key, entry in self._entries.items() if floor is None or entry.number < floor]
        return Changes(removed={key: self._entries.pop(key) for key in gone})
