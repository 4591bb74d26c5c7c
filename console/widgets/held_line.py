"""That missed fires wait for the operator: a line that is there only while they do."""

from __future__ import annotations

from rich.text import Text

from console.render.amounts import count
from console.render.look import Look
from console.widgets.line import Line


class HeldLine(Line):
    DEFAULT_CSS = "HeldLine { display: none; background: $panel; &.-says { display: block; } }"

    def __init__(self, look: Look, sign: str) -> None:
        """`sign` is the key that leads to them."""
        super().__init__(id="held")
        self._look = look
        self._sign = sign

    def show_held(self, fires: int, jobs: int) -> None:
        wait = "waits" if fires == 1 else "wait"
        text = Text(" ! ", f"bold {self._look.palette.warning}")
        text.append(f"{count(fires, 'missed fire')} of {count(jobs, 'job')} {wait} for you: ")
        text.append(self._sign, f"bold {self._look.palette.accent}").append(" decides")
        self.show(text)
        self.set_class(fires > 0, "-says")
