"""The virtual table: draws the rows on the screen and nothing else, whatever their number.

It is a line-API widget of its own rather than a `ScrollView`: there, a change of the number of rows is a change of
`virtual_size`, and that lays the whole screen out anew, five times a second on a busy agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from console.render.safe import to_one_line
from console.widgets.table import messages
from console.widgets.table.columns import Column
from console.widgets.table.drawing import Drawing, LineStyle
from console.widgets.table.marks import Marks
from console.widgets.table.pace import CallLater, Pace
from console.widgets.table.source import RowSource
from console.widgets.table.view import HoldPolicy, View

_HEADER = 1


class VirtualTable(Widget, can_focus=True):
    """Rows of a RowSource under a header line. Tell it what changed; it says what the operator did.

    The source is changed first, then one of `add_rows`, `change_rows`, `order_changed` is called. What they cause is
    drawn at most five times a second; what a key causes, at once.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header", "table--cursor", "table--marked", "table--new", "table--empty",
    }  # fmt: skip

    DEFAULT_CSS = """
    VirtualTable {
        height: 1fr;
        & > .table--header { color: $text-muted; text-style: bold; }
        & > .table--cursor { background: $block-cursor-blurred-background; text-style: bold; }
        & > .table--marked { color: $text-accent; }
        & > .table--new { color: $text-accent; text-style: bold; }
        & > .table--empty { color: $text-muted; }
        &:ansi > .table--cursor { text-style: reverse; }
        &:nocolor > .table--cursor { text-style: reverse; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False),
        Binding("k,up", "move(-1)", "Up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("home,g", "first", "First, with all that is new", show=False),
        Binding("end,G", "last", "Last", show=False),
        Binding("space", "mark", "Mark", show=False),
        Binding("asterisk", "mark_all", "Mark all", show=False),
        Binding("enter", "select", "Open", show=False),
        Binding("s", "sort", "Sort", show=False),
    ]

    RowHighlighted = messages.RowHighlighted
    RowSelected = messages.RowSelected
    MarksChanged = messages.MarksChanged
    HeldChanged = messages.HeldChanged
    SortRequested = messages.SortRequested

    def __init__(
        self,
        source: RowSource,
        columns: Sequence[Column],
        *,
        empty: str = "nothing here",
        call_later: CallLater | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
    ) -> None:
        """`empty` stands where rows would; `call_later(seconds, function)` paces repaints (default: Textual's timer)."""
        super().__init__(id=id, classes=classes)
        self._view = View(source)
        self._drawing = Drawing(columns)
        self._marks = Marks()
        self._sort: tuple[str, bool] | None = None
        self._empty = empty
        self._dirty: dict[str, set[str] | None] = {}
        self._is_stale = False
        self._pace = Pace(self._flush, call_later or self.set_timer)
        self._drawn: tuple[list[tuple[str | None, bool]], int | None, str] = ([], None, "")
        self._told: tuple[str | None, int] = (None, 0)

    # What the screen may ask.

    @property
    def cursor_id(self) -> str | None:
        """The row that the cursor is on."""
        return self._view.cursor_id

    @property
    def marks(self) -> frozenset[str]:
        """Ids of the marked rows, whether they are shown or not."""
        return self._marks.ids

    @property
    def targets(self) -> frozenset[str]:
        """What an action goes to: the marked rows, or else the one under the cursor."""
        if self._marks:
            return self._marks.ids
        return frozenset() if self.cursor_id is None else frozenset({self.cursor_id})

    @property
    def visible_ids(self) -> tuple[str, ...]:
        """The rows on the screen, from the top; a source of pages loads around them."""
        return tuple(row_id for row_id in self._view.window if row_id is not None)

    @property
    def row_count(self) -> int:
        return len(self._view.order)

    @property
    def held(self) -> int:
        """New rows that wait behind "▲ 7 new"."""
        return self._view.order.held

    @property
    def is_acting(self) -> bool:
        """True from the first move of the cursor or when its row was opened, and while there are marks, until `rest()`."""
        return self._view.is_acting or bool(self._marks)

    def begin_acting(self) -> None:
        """The row under the cursor is the operator's choice from now on: it is opened, and come back to."""
        self._view.is_acting = True

    @property
    def hold_policy(self) -> HoldPolicy:
        """When new rows wait: while the operator acts or has marks (`acting`), `always`, `never`."""
        return self._view.policy

    @hold_policy.setter
    def hold_policy(self, policy: HoldPolicy) -> None:
        self._view.policy = policy

    # What the screen tells.

    def add_rows(self, ids: Iterable[str]) -> None:
        """The source has these new rows; they are shown, or held back while the operator acts."""
        if self._view.holds or (self._marks and self._view.policy == "acting"):
            self._view.order.hold(ids)
        self.order_changed()

    def change_rows(self, ids: Iterable[str], columns: Iterable[str] | None = None) -> None:
        """The cells of these rows changed; in these columns only, if they are named."""
        keys = None if columns is None else set(columns)
        for row_id in ids:
            self._drawing.outdate(row_id)
            known = self._dirty.get(row_id, set())
            self._dirty[row_id] = None if keys is None or known is None else known | keys
        self._pace.request()

    def order_changed(self) -> None:
        """Rows were sorted, went, or came back."""
        self._is_stale = True
        self._pace.request()

    def set_source(self, source: RowSource) -> None:
        """Show other rows, as after another filter; cursor and marks stay with their ids."""
        self._drawing.keep_only(())
        self._dirty.clear()
        self._is_stale = False
        self._view.replace(source)
        self._draw_all()

    def set_columns(self, columns: Sequence[Column]) -> None:
        self._resize(columns)

    def show_sort(self, column: str, *, descending: bool) -> None:
        """Show in the header how the rows are sorted."""
        self._sort = (column, descending)
        self._refresh_header()

    def release(self) -> int:
        """Let the held rows in, the cursor staying where it is; how many they were."""
        count = self._view.release()
        self._draw_changes()
        return count

    def rest(self) -> None:
        """The operator has gone: show everything new and go to the first row."""
        self._is_stale = False
        self._view.rest()
        self._draw_changes()

    def move_to(self, row_id: str) -> bool:
        """Put the cursor on a row; False when it is not shown."""
        self._settle_if_stale()
        found = self._view.move_to(row_id)
        self._draw_changes()
        return found

    def set_marks(self, ids: Iterable[str]) -> None:
        """Mark these rows and no others."""
        if self._marks.replace(ids):
            self._draw_all()
            self.post_message(self.MarksChanged(self, len(self._marks)))

    # What the operator does.

    def action_move(self, count: int) -> None:
        self._settle_if_stale()
        self._view.move_by(count)
        self._draw_changes()

    def action_page(self, direction: int) -> None:
        self._settle_if_stale()
        self._view.page(direction)
        self._draw_changes()

    def action_first(self) -> None:
        self.rest()

    def action_last(self) -> None:
        self.action_move(self.row_count)

    def action_mark(self) -> None:
        """Mark or unmark the cursor's row and go on to the next."""
        if self.cursor_id is None:
            return
        self._marks.toggle(self.cursor_id)
        self._refresh_line(self._view.cursor_line)
        self.action_move(1)
        self.post_message(self.MarksChanged(self, len(self._marks)))

    def action_mark_all(self) -> None:
        """Mark all rows that are shown, on other pages too; when all are marked, unmark them."""
        held = self._view.order.is_held
        ids = {row_id for row_id in self._view.order.source.ids() if not held(row_id)}
        self._view.is_acting = True
        self.set_marks(() if ids == self._marks.ids else ids)

    def action_select(self) -> None:
        if self.cursor_id is not None:
            self.post_message(self.RowSelected(self, self.cursor_id))

    def action_sort(self) -> None:
        """Ask for the next order: each sortable column upwards, then downwards."""
        orders = [(column.key, down) for column in self._drawing.columns if column.sortable for down in (False, True)]
        if orders:
            now = orders.index(self._sort) if self._sort in orders else -1
            key, descending = orders[(now + 1) % len(orders)]
            self.post_message(self.SortRequested(self, key, descending=descending))

    def on_click(self, event: events.Click) -> None:
        line = event.y - _HEADER
        if 0 <= line < len(self._view.window):
            self.action_move(self._view.top + line - self._view.place)

    def on_mouse_scroll_down(self) -> None:
        self._scroll(3)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-3)

    def _scroll(self, lines: int) -> None:
        self._settle_if_stale()
        self._view.scroll_by(lines)
        self._draw_changes()

    # How it is drawn.

    def on_resize(self) -> None:
        self._resize(self._drawing.columns)

    def _resize(self, columns: Sequence[Column]) -> None:
        self._drawing.resize(self.size.width, columns)
        self._view.resize(self.size.height - _HEADER)
        self._draw_all()

    def _settle_if_stale(self) -> None:
        if self._is_stale:
            self._is_stale = False
            self._view.settle()

    def _flush(self) -> None:
        self._settle_if_stale()
        dirty, self._dirty = self._dirty, {}
        for row_id, keys in dirty.items():
            self._refresh_cells(self._view.line_of(row_id), keys)
        self._draw_changes()

    def _refresh_cells(self, line: int | None, keys: set[str] | None) -> None:
        if line is None or keys is None:
            self._refresh_line(line)
            return
        for x, width in self._drawing.spans(keys):
            self.refresh(Region(x, line + _HEADER, width, 1))

    def _refresh_line(self, line: int | None) -> None:
        if line is not None:
            self.refresh(Region(0, line + _HEADER, self.size.width, 1))

    def _refresh_header(self) -> None:
        self.refresh(Region(0, 0, self.size.width, _HEADER))

    def _draw_all(self) -> None:
        self._note_drawn()
        self.refresh(Region(0, 0, self.size.width, self.size.height))
        self._tell()

    def _draw_changes(self) -> None:
        """Refresh the lines that show another row than before, or where the cursor came or went."""
        window, cursor_line, news = self._drawn
        self._note_drawn()
        new_window, new_cursor_line, new_news = self._drawn
        for line in range(max(len(window), len(new_window), 1)):
            if window[line : line + 1] != new_window[line : line + 1]:
                self._refresh_line(line)
        if cursor_line != new_cursor_line:
            self._refresh_line(cursor_line)
            self._refresh_line(new_cursor_line)
        if news != new_news:
            self._refresh_header()
        self._tell()

    def _note_drawn(self) -> None:
        shown = [(row_id, self._is_gone(row_id)) for row_id in self._view.window]
        self._drawn = (shown, self._view.cursor_line, self._news)
        self._drawing.keep_only(self._view.window)

    def _is_gone(self, row_id: str | None) -> bool:
        return row_id is not None and self._view.order.is_gone(row_id)

    @property
    def _news(self) -> str:
        return f" ▲ {self.held:,} new" if self.held else ""

    def _tell(self) -> None:
        cursor, held = self._told
        self._told = (self.cursor_id, self.held)
        if cursor != self.cursor_id:
            self.post_message(self.RowHighlighted(self, self.cursor_id))
        if held != self.held:
            self.post_message(self.HeldChanged(self, self.held))

    def render_line(self, y: int) -> Strip:
        line = y - _HEADER
        if line < 0:
            style = self._style("table--new", "table--header")
            return self._drawing.draw_header(style, self._sort, self._news)
        if line >= len(self._view.window):
            said = [] if self.row_count else wrap(to_one_line(self._empty), max(8, self.size.width - 3))
            return self._drawing.draw_text(said[line] if line < len(said) else "", self._style("table--empty"))
        row_id = self._view.window[line]
        under = ("table--cursor",) if line == self._view.cursor_line else ()
        return self._drawing.draw_row(
            row_id,
            self._view.order.source,
            self._style("table--marked", *under),
            self.app.console,
            marked=row_id in self._marks,
            gone=self._is_gone(row_id),
        )

    def _style(self, accent: str, *under: str) -> LineStyle:
        base = self.rich_style
        for name in under:
            base += self.get_component_rich_style(name, partial=True)
        return LineStyle(base, self.get_component_rich_style(accent, partial=True))
