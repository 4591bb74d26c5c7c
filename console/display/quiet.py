"""Nothing moves on its own: over SSH an animation or a blinking cursor is bytes for nothing."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.widget import Widget
from textual.widgets import Input, TextArea


def quiet(app: App[Any]) -> None:
    """Switch off every animation of `app`, smooth scrolling included."""
    app.animation_level = "none"


def still(widget: Widget) -> None:
    """Stop the blinking cursor of `widget`, if it has one."""
    if isinstance(widget, Input | TextArea):
        widget.cursor_blink = False
