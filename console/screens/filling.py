"""How a list gets its rows: the first page of what matches, and the next ones before the cursor is there."""

from __future__ import annotations

from abc import abstractmethod

from textual import work

from console.model import Window
from console.screens.base import ConsoleScreen
from console.session import ConsoleSession
from shared.errors import JobdeckError


class FillingScreen(ConsoleScreen):
    """A subclass says where its cursor is and how much it has; what is loaded it hears of as a change of the world."""

    def __init__(self, session: ConsoleSession) -> None:
        super().__init__(session)
        self.window = Window()

    @abstractmethod
    async def load_more(self) -> None:
        """The next page of what matches."""

    @abstractmethod
    def standing(self) -> tuple[int | None, int, int]:
        """The cursor's place (None: its row is gone), how many rows there are, how many are known in all."""

    @work(exclusive=True, group="first_page")
    async def load_first(self) -> None:
        """What is loaded is shown at once; what the agent has beside it comes as soon as it can."""
        await self._load_quietly()

    def fill(self) -> None:
        """Load on when the cursor nears the end of what is there."""
        place, rows, known = self.standing()
        if not self.session.world.link.online or place is None:
            return
        if self.window.wants_more(place, rows, known):
            self._load_next()

    @work(exclusive=True, group="next_page")
    async def _load_next(self) -> None:
        await self._load_quietly()

    async def _load_quietly(self) -> None:
        try:
            await self.load_more()
        except JobdeckError as error:
            if self.session.world.link.online:
                self.session.shell.say(error.message, "error")
