"""What a table tells its screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from console.widgets.table.table import VirtualTable


class TableMessage(Message):
    def __init__(self, table: VirtualTable) -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> VirtualTable:
        return self.table


class RowHighlighted(TableMessage, namespace="virtual_table"):
    """The cursor is on another row; None when there is none (or its page is not loaded)."""

    def __init__(self, table: VirtualTable, row_id: str | None) -> None:
        super().__init__(table)
        self.row_id = row_id

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, RowHighlighted)


class RowSelected(TableMessage, namespace="virtual_table"):
    """Enter was pressed on a row."""

    def __init__(self, table: VirtualTable, row_id: str) -> None:
        super().__init__(table)
        self.row_id = row_id


class MarksChanged(TableMessage, namespace="virtual_table"):
    """Rows were marked or unmarked; `count` are marked now (`table.marks` are their ids)."""

    def __init__(self, table: VirtualTable, count: int) -> None:
        super().__init__(table)
        self.count = count

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, MarksChanged)


class HeldChanged(TableMessage, namespace="virtual_table"):
    """`count` new rows are held back now."""

    def __init__(self, table: VirtualTable, count: int) -> None:
        super().__init__(table)
        self.count = count

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, HeldChanged)


class SortRequested(TableMessage, namespace="virtual_table"):
    """The operator wants another order; the source sorts, then the screen calls `show_sort` and `order_changed`."""

    def __init__(self, table: VirtualTable, column: str, *, descending: bool) -> None:
        super().__init__(table)
        self.column = column
        self.descending = descending
