"""Lines of text that can be scrolled; only those that read differently are drawn again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Panel(Widget, can_focus=True):
    DEFAULT_CSS = """
    Panel { width: 100%; height: auto; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
        Binding("pagedown,ctrl+f", "scroll(10)", "Page down", show=False),
        Binding("pageup,ctrl+b", "scroll(-10)", "Page up", show=False),
        Binding("home,g", "scroll(-100000)", "First", show=False),
        Binding("end,G", "scroll(100000)", "Last", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Text] = []
        self._top = 0

    @property
    def plain(self) -> str:
        return "\n".join(line.plain for line in self._lines)

    def show(self, lines: Sequence[Text]) -> None:
        old, self._lines = self._lines, list(lines)
        self._top = self._clamped(self._top)
        if len(old) != len(self._lines):
            self.refresh()
            return
        for place, (before, after) in enumerate(zip(old, self._lines, strict=True)):
            if before != after or before.spans != after.spans or before.style != after.style:
                self.refresh(Region(0, place - self._top, self.size.width, 1))

    def action_scroll(self, lines: int) -> None:
        top, self._top = self._top, self._clamped(self._top + lines)
        if top != self._top:
            self.refresh()

    def on_resize(self) -> None:
        self._top = self._clamped(self._top)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        place, width, under = y + self._top, self.size.width, self.rich_style
        if place >= len(self._lines):
            return Strip.blank(width, under)
        segments = [Segment(" ", under), *self._lines[place].render(self.app.console, end="")]
        strip = Strip(Segment.apply_style(segments, under)).adjust_cell_length(width, under)
        return self._with_more(strip, y)

    def _with_more(self, strip: Strip, y: int) -> Strip:
        """A sign at the edge where there is more than is shown."""
        above = y == 0 and self._top > 0
        below = y == self.size.height - 1 and self._top + self.size.height < len(self._lines)
        if not (above or below):
            return strip
        word = " ▲ " if above else " tab ▼ " if not self.has_focus else " ▼ "
        return Strip.join([strip.crop(0, max(0, self.size.width - len(word))), Strip([Segment(word, self.rich_style)])])

    def _clamped(self, top: int) -> int:
        return max(0, min(top, len(self._lines) - self.size.height))
