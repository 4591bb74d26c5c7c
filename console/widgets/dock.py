"""The lines at the bottom: what waits, a notice, a question, and what can be done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from console.keymap import ACTS
from console.render.amounts import count
from console.render.leaving import effect_changes_in, effect_in
from console.session import ConsoleSession, Tone
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
        self._session = session
        self._look = session.look
        self.footer = Footer(session.look, session.keymap.sign, lambda act: ACTS[act].word)
        self.leaving: Line | None = None
        self.notice: Notice | None = None
        self.asking: Ask | None = None

    def compose(self) -> ComposeResult:
        yield self.footer

    def show_offers(self, offers: Sequence[Offer] | None) -> None:
        """None: the keys are letters now."""
        self.footer.offer(offers)

    def show_leaving(self, now: datetime) -> float | None:
        """Count down to the first of the cancels that wait on the agent; seconds until that reads differently."""
        leaving = self._session.world.leaving.values()
        due = min((run.cancel_due_at for run in leaving if run.cancel_due_at), default=None)
        if self.leaving is None:
            if due is None:
                return None
            self.leaving = Line(id="leaving")
            self.mount(self.leaving, before=0)
        self.leaving.display = due is not None
        if due is None:
            return None
        self.leaving.show(self._countdown(due, now))
        return effect_changes_in(due, now)

    def _countdown(self, due: datetime, now: datetime) -> Text:
        palette, number = self._look.palette, len(self._session.world.leaving)
        text = Text(f"cancelling {count(number, 'run')} {effect_in(due, now)}", palette.warning)
        if not self._session.can("run"):
            return text
        text.append(" — ").append(self._session.keymap.sign("undo"), f"bold {palette.accent}")
        return text.append(" takes it back" if number == 1 else " takes them back", palette.warning)

    def say(self, text: str, tone: Tone) -> None:
        from console.widgets.notice import Notice

        if self.notice is None:
            self.notice = Notice(self._look)
            self.mount(self.notice, before=self.footer)
        self.notice.say(text, tone)

    def hush(self) -> bool:
        """Take the notice away; True if there was one."""
        return self.notice is not None and self.notice.hush()

    def forget(self, texts: Collection[str]) -> None:
        """What one of these says is over."""
        if self.notice is not None and self.notice.text in texts:
            self.notice.hush()

    async def make_ask(self) -> Ask:
        """What asks here; a question to it has the keys at once."""
        from console.widgets.ask import Ask

        if self.asking is None:
            self.asking = Ask(self._look)
            await self.mount(self.asking, before=self.footer)
        return self.asking
