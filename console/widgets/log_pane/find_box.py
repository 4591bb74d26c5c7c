"""Where the text to find is typed."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from shared.models.run import LONGEST_LOG_TEXT


class FindBox(Horizontal):
    """Not there until it is opened; enter asks for the text, esc (the screen's) closes it."""

    DEFAULT_CSS = """
    FindBox { display: none; height: 1; &.-open { display: block; } }
    FindBox Label { width: 1; }
    FindBox Input { border: none; height: 1; padding: 0; background: $panel; }
    """

    class Wanted(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def compose(self) -> ComposeResult:
        yield Label("/")
        yield Input(compact=True, select_on_focus=False, max_length=LONGEST_LOG_TEXT)

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def open(self) -> None:
        self.add_class("-open")
        text = self.query_one(Input)
        text.select_all()
        self.screen.set_focus(text)  # at once: the next key is meant for it

    def close(self) -> None:
        self.remove_class("-open")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Wanted(event.value))

    def on_key(self, event: events.Key) -> None:
        if event.key in {"up", "down"}:
            event.stop()
