"""The lines at the bottom: what waits, a notice, a question, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from console.keymap import ACTS
from console.session import ConsoleSession, Question
from console.widgets.ask import Ask
from console.widgets.footer import Footer, Offer
from console.widgets.line import Line
from console.widgets.notice import Notice


class Waiting(Line):
    """Cancels that can still be taken back."""

    DEFAULT_CSS = "Waiting { display: none; &.-waits { display: block; } }"


class Dock(Vertical):
    DEFAULT_CSS = "Dock { dock: bottom; height: auto; width: 100%; background: $panel; }"

    def __init__(self, session: ConsoleSession) -> None:
        super().__init__()
        self._look = session.look
        self.notice = Notice(session.look)
        self.asking = Ask(session.look)
        self.waiting = Waiting()
        self.footer = Footer(session.look, session.keymap.sign, lambda act: ACTS[act].word)

    def compose(self) -> ComposeResult:
        yield self.waiting
        yield self.notice
        yield self.asking
        yield self.footer

    def show_offers(self, offers: Sequence[Offer]) -> None:
        self.footer.offer(offers)

    def show_waiting(self, number: int, left: float | None, undo: str) -> None:
        """`number` cancels go out in `left` seconds; None: nothing waits."""
        self.waiting.set_class(left is not None, "-waits")
        if left is not None:
            palette = self._look.palette
            text = Text(f"cancelling {number:,} pending in {left:.0f}s — ", palette.warning)
            self.waiting.show(text.append(undo, f"bold {palette.accent}").append(" takes it back", palette.warning))

    async def ask(self, question: Question) -> bool:
        return await self.asking.ask(question)
