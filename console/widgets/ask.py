"""One docked question; no is the default answer."""

from __future__ import annotations

import asyncio

from rich.text import Text
from textual import events
from textual.widget import Widget

from console.render.look import Look
from console.session import Question
from console.widgets.line import Line, safe_text


class Ask(Line, can_focus=True):
    """Takes the keys while it asks, and gives the focus back. `y` agrees, or the typed count does; all else is no."""

    DEFAULT_CSS = "Ask { display: none; height: auto; max-height: 5; &.-asks { display: block; } }"

    def __init__(self, look: Look) -> None:
        super().__init__(id="ask")
        self._look = look
        self._question: Question | None = None
        self._answer: asyncio.Future[bool] | None = None
        self._before: Widget | None = None
        self._typed = ""

    async def ask(self, question: Question) -> bool:
        self._settle(agreed=False)
        self._question, self._typed = question, ""
        self._answer = asyncio.get_running_loop().create_future()
        if not self.has_class("-asks"):
            self._before = self.screen.focused
        self.set_class(True, "-asks")
        self._compose_line()
        self.screen.set_focus(self)  # at once: the next key is the answer
        return await self._answer

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        question = self._question
        if question is None:
            return
        if question.count is None:
            self._close(agreed=event.character in {"y", "Y"})
        elif event.key == "backspace":
            self._type(self._typed[:-1])
        elif event.character and event.character.isdigit():
            self._type(self._typed + event.character)
        else:
            self._close(agreed=event.key == "enter" and self._typed == str(question.count))

    def on_blur(self) -> None:
        self._close(agreed=False, refocus=False)

    def on_unmount(self) -> None:
        self._settle(agreed=False)

    def _type(self, text: str) -> None:
        self._typed = text
        self._compose_line()

    def _close(self, *, agreed: bool, refocus: bool = True) -> None:
        before, self._before = self._before, None
        if self._question is None:
            return
        self._question = None
        self.set_class(False, "-asks")
        if refocus and before is not None and before.is_attached:
            self.screen.set_focus(before)
        self._settle(agreed=agreed)

    def _settle(self, *, agreed: bool) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(agreed)
        self._answer = None

    def _compose_line(self) -> None:
        question, palette = self._question, self._look.palette
        assert question is not None
        line = safe_text(question.text, f"bold {palette.warning}")
        if question.count is None:
            answers = Text(no_wrap=True).append("y", f"bold {palette.bad}").append(f" {question.yes}  ")
        else:
            answers = (
                Text(no_wrap=True).append(f"type {question.count}: ", f"bold {palette.bad}").append(f"{self._typed}_  ")
            )
        answers.append("enter", f"bold {palette.accent}").append(f" {question.no} ")
        if self.show(line, answers):
            self.refresh(layout=True)

    def render(self) -> Text:
        """What one agrees to is never cut: where both have no room on a line, the answers stand below."""
        if self._left.cell_len + self._right.cell_len + 1 <= self.size.width:
            return super().render()
        text = self._left.copy()
        text.no_wrap, text.overflow = False, "fold"
        return text.append("\n").append_text(self._right)
