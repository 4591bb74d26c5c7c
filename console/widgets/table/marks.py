"""The rows that an action will go to."""

from __future__ import annotations

from collections.abc import Iterable


class Marks:
    """Ids, in no order; they outlive scrolling, sorting and leaving the filter."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._ids

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(self._ids)

    def toggle(self, row_id: str) -> None:
        self._ids ^= {row_id}

    def replace(self, ids: Iterable[str]) -> bool:
        """True if that changed anything."""
        before, self._ids = self._ids, set(ids)
        return before != self._ids
