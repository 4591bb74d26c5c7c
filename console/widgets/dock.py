"""The lines at the bottom: what waits, a notice, a question, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from console.keymap import ACTS
from console.session import ConsoleSession, Question, Tone
from console.widgets.footer import Footer, Offer
from console.widgets.line import Line

if TYPE_CHECKING:
    from console.widgets.ask import Ask
    from console.widgets.notice import Notice


class Dock(Vertical):
    """Lines above the footer are made when they are first needed: the first frame does without them."""

    DEFAULT_CSS = "Dock { dock: bottom; height: auto; width: 100%; background: $panel; }"

    def __init__(self, session: ConsoleSession) -> None:
        super().__init__()
        self._look = session.look
        self.footer = Footer(session.look, session.keymap.sign, lambda act: ACTS[act].word)
        self.waiting: Line | None = None
        self.notice: Notice | None = None
        self.asking: Ask | None = None

    def compose(self) -> ComposeResult:
        yield self.footer

    def show_offers(self, offers: Sequence[Offer]) -> None:
        self.footer.offer(offers)

    def show_waiting(self, number: int, left: float | None, undo: str) -> None:
        """`number` cancels go out in `left` seconds; None: nothing waits."""
        if self.waiting is None:
            if left is None:
                return
            self.waiting = Line(id="waiting")
            self.mount(self.waiting, before=0)
        self.waiting.display = left is not None
        if left is not None:
            palette = self._look.palette
            text = Text(f"cancelling {number:,} pending in {left:.0f}s — ", palette.warning)
            self.waiting.show(text.append(undo, f"bold {palette.accent}").append(" takes it back", palette.warning))

    def say(self, text: str, tone: Tone) -> None:
        from console.widgets.notice import Notice

        if self.notice is None:
            self.notice = Notice(self._look)
            self.mount(self.notice, before=self.footer)
        self.notice.say(text, tone)

    def hush(self) -> bool:
        """Take the notice away; True if there was one."""
        return self.notice is not None and self.notice.hush()

    async def ask(self, question: Question) -> bool:
        from console.widgets.ask import Ask

        if self.asking is None:
            self.asking = Ask(self._look)
            await self.mount(self.asking, before=self.footer)
        return await self.asking.ask(question)
