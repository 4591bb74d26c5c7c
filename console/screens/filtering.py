"""`/`: the line with the filter, on every list."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING

from console.screens.base import ConsoleScreen
from console.session import ConsoleSession

if TYPE_CHECKING:
    from console.widgets.filter_bar import FilterBar, Language
    from console.widgets.list_table import ListTable


class FilteringScreen(ConsoleScreen):
    """A subclass says what its filters speak of, and shows what one of them takes. Its body is called `body`."""

    table: ListTable

    def __init__(self, session: ConsoleSession) -> None:
        super().__init__(session)
        self.filter_text = ""
        self.filter_bar: FilterBar | None = None
        self._making = asyncio.Lock()

    @property
    @abstractmethod
    def language(self) -> Language:
        """What can be filtered by."""

    @abstractmethod
    def show_filter(self, text: str) -> None:
        """Show what this filter takes; it is one."""

    @abstractmethod
    def filter_left(self) -> None:
        """The line is closed: the keys are the list's again."""

    @abstractmethod
    def back_further(self) -> None:
        """esc, and neither a notice nor a mark nor a filter is left to clear."""

    def act_back(self) -> None:
        """Notice, marks, then filter; the rest is the screen's own."""
        if self.dock.hush():
            return
        if self.table.marks:
            self.table.set_marks(())
        elif self.filter_text:
            self.show_filter("")
        else:
            self.back_further()

    async def act_filter(self) -> None:
        with self.session.shell.keys_held():
            bar = await self._make_filter_bar()
            bar.open(self.filter_text, self.language)
        self.refresh_footer()

    def on_mount(self) -> None:
        """Beside that of the base class, which Textual calls too."""
        self.call_after_refresh(self._make_filter_bar)

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        if message.text.strip() != self.filter_text:
            self.show_filter(message.text)

    def on_filter_bar_closed(self) -> None:
        self.filter_left()
        self.refresh_footer()

    def refresh_footer(self) -> None:
        """While a filter is written the keys mean letters."""
        if self.is_writing:
            self.dock.show_offers(None)
        else:
            super().refresh_footer()

    @property
    def is_writing(self) -> bool:
        return self.filter_bar is not None and self.filter_bar.is_open

    @property
    def filter_told(self) -> str:
        """What stands at the right of the tabs, unless its own line does."""
        return f"/{self.filter_text}" if self.filter_text and not self.is_writing else ""

    async def _make_filter_bar(self) -> FilterBar:
        """The first frame does without it; a key may come before it."""
        from console.widgets.filter_bar import FilterBar

        async with self._making:
            if self.filter_bar is None:
                bar = FilterBar(self.language, self.session.look)
                await self.mount(bar, after="#body")
                self.filter_bar = bar
        return self.filter_bar
