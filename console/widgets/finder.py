"""Type to find, enter to take: a line of input over rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from console.widgets.table import Cell, Column, ListSource, VirtualTable
from console.widgets.table.messages import RowHighlighted

_MOVES = {
    "down": lambda table: table.action_move(1),
    "up": lambda table: table.action_move(-1),
    "ctrl+n": lambda table: table.action_move(1),
    "pagedown": lambda table: table.action_page(1),
    "pageup": lambda table: table.action_page(-1),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    id: str
    cells: Sequence[Cell]


Find = Callable[[str], Sequence[Entry]]


class FinderInput(Input):
    """Leaves to its finder the keys that move among the rows."""

    async def _on_key(self, event: events.Key) -> None:
        if event.key not in _MOVES:
            await super()._on_key(event)


class Finder(Vertical):
    """`find(text)` says what to show, best first. Tells `Taken` with the entry's id, or None when nothing fits."""

    DEFAULT_CSS = """
    Finder { height: 1fr; }
    Finder Input { height: 1; border: none; padding: 0 1; background: $panel; }
    Finder Input:focus { border: none; background-tint: $panel 0%; }
    """

    class Taken(Message):
        def __init__(self, entry_id: str | None, text: str) -> None:
            super().__init__()
            self.entry_id = entry_id
            self.text = text

    class Highlighted(Message):
        """The cursor is on another entry; None when nothing fits."""

        def __init__(self, entry: Entry | None) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, find: Find, columns: Sequence[Column], placeholder: str, text: str = "") -> None:
        super().__init__()
        self._find = find
        self._entries: Mapping[str, Entry] = {}
        self._source = ListSource((), self._cells)
        self.input = FinderInput(text, placeholder=placeholder, compact=True, select_on_focus=False)
        self.table = VirtualTable(self._source, columns, empty="nothing of that name")
        self.table.can_focus = False

    def compose(self) -> ComposeResult:
        yield self.input
        yield self.table

    def on_mount(self) -> None:
        self._look_up(self.input.value)
        self.screen.set_focus(self.input)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._look_up(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Taken(self.table.cursor_id, event.value))

    def on_virtual_table_row_selected(self, message: VirtualTable.RowSelected) -> None:  # type: ignore[valid-type]
        message.stop()  # type: ignore[attr-defined]

    def on_virtual_table_row_highlighted(self, message: RowHighlighted) -> None:
        message.stop()
        self.post_message(self.Highlighted(self._entries.get(message.row_id or "")))

    def on_key(self, event: events.Key) -> None:
        move = _MOVES.get(event.key)
        if move is not None:
            event.stop()
            move(self.table)

    def look_again(self) -> None:
        """There is more to find than when it was typed."""
        if self.is_attached:
            self._look_up(self.input.value)

    def _look_up(self, text: str) -> None:
        self._entries = {entry.id: entry for entry in self._find(text)}
        self._source = ListSource(self._entries, self._cells)
        self.table.set_source(self._source)
        self.table.rest()

    def _cells(self, entry_id: str) -> Sequence[Cell]:
        return self._entries[entry_id].cells
