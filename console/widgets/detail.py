"""What is known of the row under the cursor, line by line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget


class Detail(Widget):
    """Draws only when a line reads differently; long lines wrap where there is room below."""

    DEFAULT_CSS = "Detail { padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[Text, ...] = ()

    @property
    def plain(self) -> str:
        return "\n".join(line.plain for line in self._lines)

    def show(self, lines: Sequence[Text]) -> None:
        lines = tuple(lines)
        if [(line.plain, line.style, line.spans) for line in lines] != [
            (line.plain, line.style, line.spans) for line in self._lines
        ]:
            self._lines = lines
            self.refresh()

    def render(self) -> Text:
        height, width = self.size.height, max(1, self.size.width)
        text = Text(overflow="fold")
        for line in self._lines:
            cut = line.copy()
            if height <= 2:
                cut.truncate(width, overflow="ellipsis")
            text.append_text(cut).append("\n")
        return text


class Lines(Detail):
    """The same, as tall as its text."""

    DEFAULT_CSS = "Lines { height: auto; min-height: 3; }"

    def show(self, lines: Sequence[Text]) -> None:
        super().show(lines)
        self.refresh(layout=True)
