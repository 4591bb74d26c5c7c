"""A knowledge base, searched: a line to type in, the hits below, the text of the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual import events, work
from textual.widget import Widget
from textual.widgets import Input

from console.screens.base import ConsoleScreen
from console.widgets.detail import Detail
from console.widgets.footer import Offer
from console.widgets.line import Line, safe_text
from console.widgets.list_table import ListTable
from console.widgets.table import Cell, Column, ListSource
from console.widgets.table.messages import RowHighlighted
from shared.errors import JobdeckError

if TYPE_CHECKING:
    from console.session import ConsoleSession
    from shared.models import KnowledgeBase, SearchHit

_COLUMNS = (
    Column("score", "Score", 6, align="right"),
    Column("text", "Text", 30, flex=3),
    Column("key", "Row", 12, flex=1, priority=1),
)
_MOST = 50


class SearchScreen(ConsoleScreen):
    NAME = "search"
    AUTO_FOCUS = "Input"
    DEFAULT_CSS = """
    SearchScreen Input { height: 1; border: none; padding: 0 1; background: $panel; }
    SearchScreen Input:focus { border: none; background-tint: $panel 0%; }
    SearchScreen Detail { height: 8; max-height: 40%; background: $panel; }
    """

    def __init__(self, session: ConsoleSession, base: KnowledgeBase) -> None:
        super().__init__(session)
        self._base = base
        self._hits: dict[str, SearchHit] = {}
        self._source = ListSource((), self._cells)
        self._head = Line()
        self.table = ListTable(self._source, _COLUMNS, empty="type what you look for, then enter", on_rest=lambda: None)
        self._whole = Detail()

    def compose_body(self) -> Iterable[Widget]:
        yield self._head
        yield Input(placeholder="what to look for; enter searches", compact=True, select_on_focus=False)
        yield self.table
        yield self._whole

    def on_mount(self) -> None:
        """Beside that of the base class, which Textual calls too."""
        self._head.show(safe_text(f" {self._base.name}", "bold"), Text(f"{self._base.rows:,} rows "))

    def offers(self) -> Sequence[Offer]:
        return (Offer("back"),)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self._search(event.value.strip())

    def on_key(self, event: events.Key) -> None:
        """The cursor moves among the hits while one types."""
        if event.key in {"up", "down"} and isinstance(self.focused, Input):
            event.stop()
            self.table.action_move(1 if event.key == "down" else -1)

    def on_virtual_table_row_highlighted(self, _: RowHighlighted) -> None:
        self._show_whole()

    @work(exclusive=True, group="search")
    async def _search(self, words: str) -> None:
        from shared.models import SearchInput

        self.table.say_empty("searching…")
        try:
            found = await self.session.client.world.search(self._base.id, SearchInput(query=words, limit=_MOST))
        except JobdeckError as error:
            self.session.shell.say(error.message, "error")
            return
        self._hits = {f"{hit.origin}/{hit.key}": hit for hit in found}
        self._source = ListSource(self._hits, self._cells)
        self.table.set_source(self._source)
        self.table.rest()
        self.table.say_empty(f"nothing in {self._base.name} is like {words!r}")
        self._show_whole()

    def _show_whole(self) -> None:
        """All of the hit's text, and what it is filtered by."""
        hit = self._hits.get(self.table.cursor_id or "")
        if hit is None:
            self._whole.show(())
            return
        muted = self.session.look.palette.muted
        about = "  ".join(f"{name}={value}" for name, value in hit.attributes.items())
        lines = [safe_text(hit.text, wraps=True), safe_text(f"{hit.origin} {hit.key}  {about}", muted, wraps=True)]
        self._whole.show(lines)

    def _cells(self, row_id: str) -> Sequence[Cell]:
        hit, muted = self._hits[row_id], self.session.look.palette.muted
        return Text(f"{hit.score:.2f}", muted), safe_text(hit.text), safe_text(hit.key, muted)
