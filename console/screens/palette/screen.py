"""The palette, over the screen it was called from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from console.screens.palette.candidates import candidates
from console.session import ConsoleSession
from console.widgets.finder import Entry, Finder
from console.widgets.footer import Offer
from console.widgets.line import safe_text
from console.widgets.table import Column
from shared.errors import JobdeckError

_TYPED = 0.2
"""Seconds after the last letter."""
_COLUMNS = (
    Column("command", "Command", 18, flex=2),
    Column("title", "", 20, flex=3),
    Column("hint", "", 10, flex=1, priority=1, align="right"),
)


class Palette(ModalScreen[str | None]):
    """Gives the command that was chosen or typed out; None when it was left."""

    AUTO_FOCUS = "FinderInput"
    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]
    DEFAULT_CSS = """
    Palette { align: center top; background: $background 0%; }
    Palette > Vertical { width: 100%; max-width: 80; height: 16; max-height: 80%; margin: 2 0 0 0; background: $surface; }
    """

    def __init__(self, session: ConsoleSession, offers: Callable[[], Sequence[Offer]], placeholder: str) -> None:
        super().__init__()
        self._session = session
        self._offers = offers

        self._finder = Finder(self._find, _COLUMNS, placeholder)
        self._sought = ""

    def compose(self) -> ComposeResult:
        yield Vertical(self._finder)

    def on_finder_taken(self, message: Finder.Taken) -> None:
        self.dismiss(message.entry_id or message.text.strip() or None)

    def action_leave(self) -> None:
        self.dismiss(None)

    @work(exclusive=True)
    async def _seek(self, text: str) -> None:
        """Among the jobs that are not loaded, once nobody types on."""
        await asyncio.sleep(_TYPED)
        with suppress(JobdeckError):
            await self._session.live.find_jobs(text.strip().removeprefix("job "))
            self._finder.look_again()

    def _find(self, text: str) -> Sequence[Entry]:
        if text.strip() and text != self._sought and not self._session.world.knows_all_jobs:
            self._sought = text
            self._seek(text)
        session, look = self._session, self._session.look
        found = candidates(text, session.world, self._offers(), session.keymap)
        return [
            Entry(
                each.command,
                (
                    safe_text(each.label, look.palette.accent),
                    safe_text(each.title),
                    Text(each.hint, look.palette.muted),
                ),
            )
            for each in found
        ]
