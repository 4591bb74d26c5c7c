"""Saved views in one line, with how many match; at its right what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from console.render.amounts import short_count
from console.render.look import Look
from console.widgets.line import Line


@dataclass(frozen=True, slots=True)
class Tab:
    title: str
    count: int | None
    is_here: bool
    style: str = ""


class Tabs(Line):
    DEFAULT_CSS = "Tabs { padding: 0 1; }"

    def __init__(self, look: Look) -> None:
        super().__init__(id="tabs")
        self._look = look

    def show_tabs(self, tabs: Sequence[Tab], news: str) -> None:
        line = Text(no_wrap=True)
        for tab in tabs:
            title = f" {tab.title} " if tab.is_here else tab.title
            line.append(title, "bold reverse" if tab.is_here else self._look.palette.muted)
            if tab.count is not None:
                line.append(f" {short_count(tab.count)}", tab.style)
            line.append("  ")
        self.show(line, Text(news, f"bold {self._look.palette.accent}") if news else None)
