"""What an action would do, as the agent tells it: the request or the mail as it would be written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import work
from textual.widget import Widget

from console.screens.actions.book import ActionBook
from console.screens.actions.draft import Action
from console.screens.actions.lines import preview_lines
from console.screens.base import ConsoleScreen
from console.session import ConsoleSession
from console.widgets.footer import Offer
from console.widgets.line import safe_text
from console.widgets.panel import Panel
from shared.errors import JobdeckError


class TrialScreen(ConsoleScreen):
    NAME = "trial"
    AUTO_FOCUS = "Panel"
    DEFAULT_CSS = "TrialScreen Panel { height: 1fr; }"

    def __init__(self, session: ConsoleSession, book: ActionBook, place: int, action: Action) -> None:
        super().__init__(session)
        self._book = book
        self._place = place
        self._action = action
        self._panel = Panel()

    def compose_body(self) -> Iterable[Widget]:
        yield self._panel

    def on_mount(self) -> None:
        """Beside that of the base class, which Textual calls too."""
        look = self.session.look
        self._panel.show([safe_text("the agent tries it out; nothing leaves it…", look.palette.muted)])
        self._ask()

    def offers(self) -> Sequence[Offer]:
        return (Offer("back"),)

    @work(exclusive=True)
    async def _ask(self) -> None:
        look = self.session.look
        try:
            told = await self._book.preview(self._place, self._action)
        except JobdeckError as error:
            self._panel.show([safe_text(error.message, look.palette.bad)])
        else:
            self._panel.show(preview_lines(told, look, self._panel.size.width - 3))
