"""Which rows are on the screen, and where the cursor is: all by id, nothing by row number."""

from __future__ import annotations

from typing import Literal

from console.widgets.table.order import Order
from console.widgets.table.source import RowSource

HoldPolicy = Literal["acting", "always", "never"]


class View:
    """A window of `height` rows over an Order, and a cursor in it.

    The operator acts from the first move of the cursor, or when its row is opened, until `rest()`. Until then the view
    stays on top while rows come in, and the cursor goes down with its row; where that leaves at the lower edge, the cursor
    is on the first row again: nobody chose the one it had, and what is new is what is looked for.
    """

    def __init__(self, source: RowSource) -> None:
        self.order = Order(source)
        self.policy: HoldPolicy = "acting"
        self.is_acting = False
        self.cursor_id: str | None = None
        self.place = 0
        self.top = 0
        self.height = 0
        self.window: list[str | None] = []
        self._above: str | None = None

    @property
    def holds(self) -> bool:
        """True while new rows have to wait."""
        return self.policy == "always" or (self.policy == "acting" and self.is_acting)

    @property
    def cursor_line(self) -> int | None:
        """The cursor's line in the window; None when it was scrolled away."""
        line = self.place - self.top
        return line if 0 <= line < self.height and len(self.order) else None

    def line_of(self, row_id: str) -> int | None:
        return self.window.index(row_id) if row_id in self.window else None

    def replace(self, source: RowSource) -> None:
        """Show other rows: what was held or has left is forgotten, the cursor stays on its row if that is there."""
        self.order = Order(source)
        self.window, self._above = [], None
        self.settle()

    def resize(self, height: int) -> None:
        self.height = max(0, height)
        self._find_cursor()
        self._show_cursor()

    def settle(self) -> None:
        """Take up what changed in the source, keeping the cursor's row (or else the topmost one) where it is."""
        anchor = self._choose_anchor()
        self._keep_what_left()
        self.order.settle()
        self._find_cursor()
        self._scroll_to_anchor(*anchor)

    def _choose_anchor(self) -> tuple[str | None, int]:
        line = self.cursor_line
        if line is not None:
            return self.cursor_id, line
        return (self.window[0], 0) if self.window else (None, 0)

    def _keep_what_left(self) -> None:
        index_of, behind = self.order.source.index_of, self._above
        for row_id in self.window:
            if row_id is None or self.order.is_gone(row_id):
                continue
            if index_of(row_id) is not None:
                behind = row_id
            elif self.is_acting or row_id == self.cursor_id:
                self.order.keep_gone(row_id, behind)

    def _find_cursor(self) -> None:
        place = None if self.cursor_id is None else self.order.place_of(self.cursor_id)
        if place is None:
            place = max(0, min(self.place, len(self.order) - 1))
            self.cursor_id = self.order.id_at(place)
        self.place = place

    def _scroll_to_anchor(self, row_id: str | None, line: int) -> None:
        place = None if row_id is None else self.order.place_of(row_id)
        if not self.is_acting and self.top == 0:
            if self.place >= self.height > 0:
                self.place, self.cursor_id = 0, self.order.id_at(0)
            self._show_cursor()
        elif place is None or row_id == self.cursor_id:
            self.top = self.place - line if place is not None else self.top
            self._show_cursor()
        else:
            self.top = place - line
            self._look()

    def move_by(self, count: int) -> None:
        """Move the cursor, over rows that have left, as far as there are rows."""
        step = 1 if count > 0 else -1
        target = self._clamp(self.place + count)
        while self._is_gone_at(target) and 0 <= target + step < len(self.order):
            target += step
        self.move_to_place(target)

    def page(self, direction: int) -> None:
        """Move window and cursor by a window's height."""
        self.top += direction * self.height
        self._look()
        self.move_by(direction * self.height)

    def move_to(self, row_id: str) -> bool:
        """Put the cursor on a row; False when it is not among the rows shown."""
        place = self.order.place_of(row_id)
        if place is not None:
            self.move_to_place(place)
        return place is not None

    def move_to_place(self, place: int) -> None:
        """Put the cursor on the row at a place; rows that have left go now."""
        self.is_acting = True
        line = place - self.top
        self.place, self.cursor_id = place, self.order.id_at(place)
        if self.order.drop_gone():
            self.order.settle()
            self._find_cursor()
            self.top = self.place - line
        self._show_cursor()

    def scroll_by(self, lines: int) -> None:
        """Move the window, not the cursor."""
        self.is_acting = True
        self.top += lines
        self._look()

    def release(self) -> int:
        """Let the held rows in; how many they were."""
        count = self.order.release()
        self.settle()
        return count

    def rest(self) -> None:
        """The operator is done: everything new is shown, the cursor is on the first row."""
        self.order.release()
        self.order.drop_gone()
        self.order.settle()
        self.top = self.place = 0
        self.cursor_id = self.order.id_at(0)
        self.is_acting = False
        self._look()

    def _is_gone_at(self, place: int) -> bool:
        row_id = self.order.id_at(place)
        return row_id is not None and self.order.is_gone(row_id)

    def _clamp(self, place: int) -> int:
        return max(0, min(place, len(self.order) - 1))

    def _show_cursor(self) -> None:
        self.top = max(self.place - self.height + 1, min(self.top, self.place))
        self._look()

    def _look(self) -> None:
        self.top = max(0, min(self.top, len(self.order) - self.height))
        last = min(self.top + self.height, len(self.order))
        self.window = [self.order.id_at(place) for place in range(self.top, last)]
        self._above = self.order.id_at(self.top - 1)
