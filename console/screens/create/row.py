"""One field on the screen: its label, what is typed, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label, Static

from console.render.look import Look
from console.screens.create.fields import Field, write_lines
from console.widgets.line import safe_text

Steer = Callable[[str], None]
OPENS = "ctrl+o"
"""The key that opens a field in several lines."""


class FieldInput(Input):
    """Leaves to the form what moves between fields and through what can be picked: by a call, not by a message, so
    that a key that came right behind is meant for the field that is gone to.
    """

    def __init__(self, field: Field, text: str, steer: Steer) -> None:
        super().__init__(text, placeholder=field.hint, compact=True, select_on_focus=False)
        self.field = field
        self._steer = steer

    def on_key(self, event: events.Key) -> None:
        steers = {"up", "down", "pageup", "pagedown", "enter"} | ({"space"} if self.field.is_many else set())
        steers |= {OPENS} if self.field.has_lines else set()
        if event.key in steers:
            event.stop()
            event.prevent_default()
            self._steer(event.key)

    def _on_paste(self, event: events.Paste) -> None:
        """Lines that are pasted into a text of several stay lines."""
        if self.field.kind == "lines":
            event.prevent_default()  # Textual calls that of the base class too
            event.stop()
            start, end = self.selection
            self.replace(write_lines(event.text.replace("\r\n", "\n")), min(start, end), max(start, end))


class FieldRow(Vertical):
    DEFAULT_CSS = """
    FieldRow { height: auto; }
    FieldRow Horizontal { height: 1; }
    FieldRow Label { width: 23; height: 1; padding: 0 1; color: $text-muted; }
    FieldRow:focus-within Label { color: $text; text-style: bold; }
    FieldRow Input { width: 1fr; height: 1; border: none; padding: 0; background: $background; }
    FieldRow Input:focus { background: $block-cursor-blurred-background; background-tint: $panel 0%; }
    FieldRow Static.fault { display: none; height: auto; padding: 0 1 0 23; }
    FieldRow.-wrong Static.fault { display: block; }
    """

    def __init__(self, field: Field, text: str, look: Look, steer: Steer) -> None:
        super().__init__()
        self.field = field
        self.input = FieldInput(field, text, steer)
        self._look = look
        self._fault = ""
        self._told = Static(classes="fault", markup=False)

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Label(f"{self.field.label}{' *' if self.field.is_required else ''}", markup=False)
            yield self.input
        yield self._told

    @property
    def fault(self) -> str:
        return self._fault

    def show_fault(self, message: str) -> None:
        """Empty: nothing is wrong."""
        if message == self._fault:
            return
        self._fault = message
        self._told.update(safe_text(f"└ {message}", self._look.palette.bad, wraps=True))
        self.set_class(bool(message), "-wrong")
