"""The table of a list: lets its rows go when the operator rests, and says why it is empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from console.widgets.table import Column, RowSource, VirtualTable


class ListTable(VirtualTable):
    def __init__(
        self, source: RowSource, columns: Sequence[Column], *, empty: str, on_rest: Callable[[], None]
    ) -> None:
        super().__init__(source, columns, empty=empty)
        self._on_rest = on_rest

    def rest(self) -> None:
        self._on_rest()
        super().rest()

    def action_sort(self) -> None:
        """The screen has orders of its own."""
        self.post_message(self.SortRequested(self, "", descending=False))

    def say_empty(self, text: str) -> None:
        if text != self._empty:
            self._empty = text
            if not self.row_count:
                self.refresh()
