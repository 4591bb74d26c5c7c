"""Saved views in one line, with how many match; at its right what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from console.render.amounts import short_count
from console.render.look import Look
from console.widgets.line import Line

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Tab:
    title: str
    count: int | None
    is_here: bool
    style: str = ""
    is_part: bool = False
    """There are more than are counted."""


class Tabs(Line):
    DEFAULT_CSS = "Tabs { padding: 0 1; }"

    def __init__(self, look: Look) -> None:
        super().__init__(id="tabs")
        self._look = look
        self._tabs: Sequence[Tab] = ()
        self._news = ""

    def show_tabs(self, tabs: Sequence[Tab], news: str) -> None:
        self._tabs, self._news = tabs, news
        self._compose_line()

    def on_resize(self) -> None:
        self._compose_line()

    def _compose_line(self) -> None:
        news = Text(self._news, f"bold {self._look.palette.accent}") if self._news else None
        room = self.size.width - (news.cell_len + 1 if news else 0)
        self.show(self._from(self._first(room)), news)

    def _first(self, room: int) -> int:
        """From which tab on that of the present view has room; all those before it are left out."""
        here = next((place for place, tab in enumerate(self._tabs) if tab.is_here), 0)
        firsts = (first for first in range(here) if self._from(first, here + 1).cell_len - len(_GAP) <= room)
        return next(firsts, here) if self.size.width else 0

    def _from(self, first: int, end: int | None = None) -> Text:
        line = Text(no_wrap=True).append("‹ " if first else "", self._look.palette.muted)
        for tab in self._tabs[first:end]:
            title = f" {tab.title} " if tab.is_here else tab.title
            line.append(title, "bold reverse" if tab.is_here else self._look.palette.muted)
            if tab.count is not None:
                line.append(f" {short_count(tab.count)}{'+' if tab.is_part else ''}", tab.style)
            line.append(_GAP)
        return line
