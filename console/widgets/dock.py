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

    def show_waiting(self, text: Text | None) -> None:
        """None: nothing waits."""
        self.waiting.set_class(text is not None, "-waits")
        if text is not None:
            self.waiting.show(text)

    async def ask(self, question: Question) -> bool:
        return await self.asking.ask(question)
