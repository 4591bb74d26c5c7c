"""The order on the screen: the source's, without rows that are held back, with rows that have left but stay."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from console.widgets.table.source import RowSource

HELD_LIMIT = 10_000
"""Above this the held rows are let in: the cursor stays on its row all the same."""


class Order:
    """Translates places on the screen into places in the source and back, in O(log held).

    After the source or the exceptions change, `settle()` must be called before anything is asked.
    """

    def __init__(self, source: RowSource) -> None:
        self.source = source
        self._held: dict[str, None] = {}
        self._gone: dict[str, str | None] = {}
        self.settle()

    def __len__(self) -> int:
        return self._shown + len(self._gone_at)

    @property
    def held(self) -> int:
        """How many new rows are held back."""
        return len(self._held)

    def hold(self, ids: Iterable[str]) -> None:
        """Keep these new rows off the screen until `release()`."""
        self._held.update(dict.fromkeys(row_id for row_id in ids if row_id not in self._gone))
        if len(self._held) > HELD_LIMIT:
            self._held.clear()

    def release(self) -> int:
        """Let the held rows in; how many they were."""
        count = len(self._held)
        self._held.clear()
        return count

    def is_held(self, row_id: str) -> bool:
        return row_id in self._held

    def keep_gone(self, row_id: str, after: str | None) -> None:
        """Let a row that has left the source stay behind row `after` (None: on top)."""
        self._gone[row_id] = after

    def is_gone(self, row_id: str) -> bool:
        return row_id in self._gone

    def drop_gone(self) -> bool:
        """Take the rows that have left off the screen; True if there were any."""
        had = bool(self._gone)
        self._gone.clear()
        return had

    def settle(self) -> None:
        """Look again where the held rows are, and where the rows that have left belong."""
        places = {row_id: self.source.index_of(row_id) for row_id in self._held}
        self._held = {row_id: None for row_id, place in places.items() if place is not None}
        self._held_at = sorted(place for place in places.values() if place is not None)
        self._held_keys = [place - count for count, place in enumerate(self._held_at)]
        self._shown = len(self.source) - len(self._held_at)
        self._settle_gone()

    def _settle_gone(self) -> None:
        anchored: list[tuple[int, str]] = []
        for row_id, after in list(self._gone.items()):
            place = self._place_behind(after)
            if place is None or self.source.index_of(row_id) is not None:
                del self._gone[row_id]
            else:
                anchored.append((place, row_id))
        anchored.sort(key=lambda item: item[0])
        self._gone_ids = [row_id for _, row_id in anchored]
        self._gone_before = [place for place, _ in anchored]
        self._gone_at = [place + count for count, place in enumerate(self._gone_before)]

    def _place_behind(self, after: str | None) -> int | None:
        if after is None:
            return 0
        place = self._place_among_shown(after)
        return None if place is None else place + 1

    def id_at(self, place: int) -> str | None:
        """The row at a place on the screen; None outside, and while its page is not loaded."""
        if not 0 <= place < len(self):
            return None
        gone = bisect_left(self._gone_at, place)
        if gone < len(self._gone_at) and self._gone_at[gone] == place:
            return self._gone_ids[gone]
        shown = place - gone
        return self.source.id_at(shown + bisect_right(self._held_keys, shown))

    def place_of(self, row_id: str) -> int | None:
        """The place of a row on the screen; None when it is held back or unknown."""
        if row_id in self._gone:
            return self._gone_at[self._gone_ids.index(row_id)]
        shown = self._place_among_shown(row_id)
        return None if shown is None else shown + bisect_right(self._gone_before, shown)

    def _place_among_shown(self, row_id: str) -> int | None:
        index = None if row_id in self._held else self.source.index_of(row_id)
        return None if index is None else index - bisect_left(self._held_at, index)
