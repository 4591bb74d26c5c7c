"""A field's text in as many lines as it has: mail bodies, SQL, JSON."""

from __future__ import annotations

import json

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import TextArea

from console.render.look import Look
from console.screens.create.fields import Field, read_lines, write_lines
from console.widgets.line import Line, safe_text


class LinesScreen(ModalScreen[str | None]):
    """Gives the text as the field's one line says it; None when it was left without a change."""

    AUTO_FOCUS = "TextArea"
    BINDINGS = [
        Binding("ctrl+s,ctrl+o", "keep", "Keep", show=False, priority=True),
        Binding("escape", "leave", "Leave", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    LinesScreen { background: $background; }
    LinesScreen Line { background: $panel; }
    LinesScreen TextArea { height: 1fr; border: none; padding: 0 1; background: $background; }
    """

    def __init__(self, field: Field, text: str, look: Look) -> None:
        super().__init__()
        self._field = field
        self._look = look
        self._before = opened(field, text)
        self._left = False
        self.area = TextArea(self._before, soft_wrap=True, tab_behavior="indent", compact=True)
        self._foot = Line()

    def compose(self) -> ComposeResult:
        head = Line()
        head.show(
            safe_text(f" {self._field.label}", "bold"), safe_text(f"{self._field.about} ", self._look.palette.muted)
        )
        with Vertical():
            yield head
            yield self.area
            yield self._foot

    def on_mount(self) -> None:
        self.area.move_cursor(self.area.document.end)
        self._say_keys()

    def on_text_area_changed(self) -> None:
        """What was said about leaving is over."""
        self._left = False
        self._say_keys()

    def action_keep(self) -> None:
        self.dismiss(closed(self._field, self.area.text))

    def action_leave(self) -> None:
        """Nothing that was typed is lost by one key."""
        if self.area.text == self._before or self._left:
            self.dismiss(None)
            return
        self._left = True
        self._foot.show(
            Text(" esc again throws away what was changed here; ^s keeps it", f"bold {self._look.palette.warning}")
        )

    def _say_keys(self) -> None:
        accent = f"bold {self._look.palette.accent}"
        self._foot.show(
            Text("^s", accent).append(" keep it  ", "default").append("esc", accent).append(" leave", "default")
        )


def opened(field: Field, text: str) -> str:
    """The field's one line in lines: `\\n` becomes an end of a line, JSON is spread out."""
    if field.kind == "lines":
        return read_lines(text)
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return json.dumps(found, ensure_ascii=False, indent=2) if isinstance(found, dict | list) else text


def closed(field: Field, text: str) -> str:
    """And back. What cannot be read as JSON stays as it was written, in one line: the form says what is wrong with it."""
    if field.kind == "lines":
        return write_lines(text.strip("\n"))
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return " ".join(text.split())
