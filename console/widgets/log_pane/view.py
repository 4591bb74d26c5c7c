"""The lines on the screen, and moving among them."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from console.render.look import Look
from console.widgets.log_pane.drawing import NEXT_TIMES, Manner, clean, draw, rows_of
from console.widgets.log_pane.lines import Lines
from console.widgets.log_pane.viewport import Viewport

_SIDEWAYS = 20
_ABOVE_FOCUS = 3


class LogView(Widget, can_focus=True):
    """Draws what `lines` has at hand, `…` where it has nothing yet; asks nobody for anything."""

    DEFAULT_CSS = "LogView { height: 1fr; width: 100%; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False),
        Binding("k,up", "move(-1)", "Up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("home,g", "first", "First line", show=False),
        Binding("end,G", "last", "Last line", show=False),
        Binding("right", "sideways(1)", "Right", show=False),
        Binding("left", "sideways(-1)", "Left", show=False),
    ]

    class Moved(Message):
        """Other lines are on the screen; `to_end`: the operator went to the end, and wants to see what comes
        (None: it was not the operator, the screen has another size).
        """

        def __init__(self, *, to_end: bool | None) -> None:
            super().__init__()
            self.to_end = to_end

    def __init__(self, lines: Lines, look: Look) -> None:
        super().__init__()
        self.lines = lines
        self.manner = Manner()
        self.focus_line: int | None = None
        """A line that was gone to: an error, a text that was found."""
        self.empty = ""
        self._look = look
        self._viewport = Viewport(self._rows_of)
        self._drawn: list[object] = []

    # What the pane asks and tells.

    @property
    def window(self) -> tuple[int, int]:
        """The lines on the screen, first and last."""
        return self._viewport.top, max(self._viewport.top, self._viewport.last)

    @property
    def rows(self) -> int:
        return self._viewport.height

    @property
    def is_at_end(self) -> bool:
        return self._viewport.is_at_end

    def show_line(self, number: int) -> None:
        """Go to a line and mark it."""
        self.focus_line = number
        self._fit()
        self._viewport.go_to(number, min(_ABOVE_FOCUS, max(0, self._viewport.height - 1)))
        self.refresh()

    def show_end(self) -> None:
        self._fit()
        self._viewport.go_to_end()
        self.redraw()

    def redraw(self) -> None:
        """Draw the rows that read differently than before."""
        self._fit()
        shown = self._shown()
        for y, (old, new) in enumerate(zip(self._drawn, shown, strict=False)):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))
        if len(self._drawn) != len(shown):
            self.refresh()
        self._drawn = shown

    def mark(self, needle: str) -> None:
        """Show this text wherever it stands."""
        self._draw_in(self.manner.but(needle=needle))

    def toggle_times(self) -> None:
        self._draw_in(self.manner.but(times=NEXT_TIMES[self.manner.times]))

    def toggle_wrap(self) -> None:
        self._draw_in(self.manner.but(is_wrapped=not self.manner.is_wrapped, offset=0))

    # What the operator does.

    def action_move(self, rows: int) -> None:
        self._viewport.move(rows)
        self._moved()

    def action_page(self, direction: int) -> None:
        self.action_move(direction * max(1, self._viewport.height - 1))

    def action_first(self) -> None:
        self._viewport.go_to(1)
        self._moved()

    def action_last(self) -> None:
        self._viewport.go_to_end()
        self._moved(to_end=True)

    def action_sideways(self, direction: int) -> None:
        if not self.manner.is_wrapped:
            self._draw_in(self.manner.but(offset=max(0, self.manner.offset + direction * _SIDEWAYS)))

    def on_mouse_scroll_down(self) -> None:
        self.action_move(3)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-3)

    def _moved(self, *, to_end: bool = False) -> None:
        self.redraw()
        self.post_message(self.Moved(to_end=to_end))

    # How it is drawn.

    def on_resize(self) -> None:
        was_at_end, is_first = self._viewport.is_at_end, self._viewport.height == 0
        self.manner = self.manner.but(width=self.size.width)
        self._viewport.height = self.size.height
        self._fit()
        if is_first and self.focus_line is not None:
            self.show_line(self.focus_line)
        elif was_at_end:
            self._viewport.go_to_end()
        self.post_message(self.Moved(to_end=None))

    def render_line(self, y: int) -> Strip:
        rows = list(self._viewport.rows())
        if y >= len(rows):
            return self._plain(self.empty if y == 0 and not rows else "")
        number, part = rows[y]
        line = self.lines.get(number)
        if line is None:
            return self._plain("…")
        under = self.rich_style + Style(reverse=True) if number == self.focus_line else self.rich_style
        return draw(line, part, self.manner, self._look.palette, under)

    def _plain(self, text: str) -> Strip:
        under = self.rich_style
        told = Segment(f"  {text}", under + Style.parse(self._look.palette.muted))
        return Strip([told]).adjust_cell_length(self.size.width, under)

    def _shown(self) -> list[object]:
        """What is on each row, to tell what changed."""
        rows = [(number, part, self.lines.get(number) is None) for number, part in self._viewport.rows()]
        return [*rows] or [self.empty]

    def _draw_in(self, manner: Manner) -> None:
        at_end = self._viewport.is_at_end
        self.manner = manner
        self._fit()
        if at_end:
            self._viewport.go_to_end()
        self.refresh()

    def _fit(self) -> None:
        self._viewport.total = self.lines.total
        self._viewport.settle()

    def _rows_of(self, number: int) -> int:
        line = self.lines.get(number) if self.manner.is_wrapped else None
        return 1 if line is None else rows_of(clean(line.text), self.manner)
