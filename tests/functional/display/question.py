"""A screen over the table; loaded when it is asked for, as the first frame does not need it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class Question(ModalScreen[None]):
    DEFAULT_CSS = (
        """Question { align: center middle; } Question Vertical { width: 40; height: 7; border: heavy red; }"""
    )

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Cancel 3 runs? 取消")
            yield Input("no")
