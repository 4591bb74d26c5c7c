"""Nothing moves on its own: over SSH an animation or a blinking cursor is bytes for nothing."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.widget import Widget


def quiet(app: App[Any]) -> None:
    """Switch off every animation of `app`, smooth scrolling included."""
    app.animation_level = "none"


def still(widget: Widget) -> None:
    """Stop the blinking cursor of `widget`, if it has one; asked by name, as loading inputs to ask would cost 5 ms."""
    if getattr(widget, "cursor_blink", False):
        widget.cursor_blink = False  # type: ignore[attr-defined]
