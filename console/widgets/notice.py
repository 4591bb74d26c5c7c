"""A line about what has just happened."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from console.render.look import Look
from console.widgets.line import Line, safe_text

SECONDS = 8.0
"""How long a notice stays that nobody has to act on."""


class Notice(Line):
    """Not there until it says something; as tall as that is. Warnings and errors stay until esc or the next one."""

    DEFAULT_CSS = "Notice { display: none; height: auto; max-height: 4; &.-says { display: block; } }"

    def __init__(self, look: Look) -> None:
        super().__init__(id="notice")
        self._look = look
        self._said = 0
        self.text = ""

    def say(self, text: str, tone: str) -> None:
        palette = self._look.palette
        styles: Mapping[str, str] = {"good": palette.good, "warning": palette.warning, "error": palette.bad}
        marks = {"good": "✓ ", "warning": "! ", "error": "✗ "} if self._look.glyphs.bar_parts else {"error": "! "}
        self.show(Text(marks.get(tone, ""), styles.get(tone, "")).append_text(safe_text(text, styles.get(tone, ""))))
        self.set_class(True, "-says")
        self.refresh(layout=True)
        self._said += 1
        self.text = text
        if tone in {"info", "good"}:
            said = self._said
            self.set_timer(SECONDS, lambda: self.hush(said))

    def render(self) -> Text:
        """What to do next often stands at the end: nothing is cut."""
        text = self._left.copy()
        text.no_wrap, text.overflow = False, "fold"
        return text

    def hush(self, said: int | None = None) -> bool:
        """Take it away (that one, if a newer has not come); True if there was one."""
        if not self.has_class("-says") or said not in {None, self._said}:
            return False
        self.set_class(False, "-says")
        return True
