"""One line of text that is drawn only when it reads differently."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from console.render.safe import to_one_line


class Line(Widget):
    """Left part, and a right part that stays when there is room for both."""

    DEFAULT_CSS = "Line { height: 1; width: 100%; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id, classes=classes)
        self._left = Text()
        self._right = Text()

    @property
    def plain(self) -> str:
        """What it says, for tests and for readers."""
        return f"{self._left.plain} {self._right.plain}".strip()

    def show(self, left: Text, right: Text | None = None) -> bool:
        """True if that reads differently. The texts must be fit for a terminal (`safe_text`)."""
        right = right or Text()
        if self._left == left and self._right == right and _spans(self._left, self._right) == _spans(left, right):
            return False
        self._left, self._right = left, right
        self.refresh()
        return True

    def render(self) -> Text:
        width = self.size.width
        room = width - self._right.cell_len - 1 if self._right else width
        if room < 8:
            return _cut(self._left, width)
        line = _cut(self._left, room)
        if self._right:
            line.append(" " * (width - line.cell_len - self._right.cell_len)).append_text(self._right)
        return line


def safe_text(text: str, style: str = "", *, wraps: bool = False) -> Text:
    """Text from outside, on one line (or as many as it needs), without what a terminal would obey."""
    return Text(to_one_line(text), style, no_wrap=not wraps)


def _cut(text: Text, width: int) -> Text:
    text = text.copy()
    text.no_wrap = True
    if cell_len(text.plain) > width:
        text.truncate(max(0, width), overflow="ellipsis")
    return text


def _spans(*texts: Text) -> list[object]:
    return [(text.style, text.spans) for text in texts]
