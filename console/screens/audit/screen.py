"""The audit: what can be done with the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import work

from console.model import Changes, KeyOrder, Order
from console.model.trail import ENTRY
from console.render.ages import seconds_to_next
from console.screens.audit import cells
from console.screens.listing import ListScreen
from console.screens.matching import quoted
from console.screens.rows import Groups
from console.screens.views import AUDIT_VIEWS
from console.widgets.footer import Offer
from console.widgets.table.pace import Pace
from shared.errors import JobdeckError

if TYPE_CHECKING:
    from rich.text import Text

    from console.session import ConsoleSession
    from console.widgets.table import Cell
    from shared.models.audit import AuditEntry

_LOOK_EVERY = 5.0
"""Seconds between two looks at what events do not tell: refusals."""


class AuditScreen(ListScreen["AuditEntry"]):
    """Newest first. Asks the agent for news while it is looked at, and only then."""

    NAME = "audit"
    KIND = "audit"
    VIEWS = AUDIT_VIEWS
    COLUMNS = cells.COLUMNS
    SORTS = cells.SORTS
    TIMED = cells.TIMED
    TELLS_HELD = False
    ACTS: ClassVar[tuple[str, ...]] = ("filter", "next_view", "previous_view", "trail", "copy")

    def __init__(self, session: ConsoleSession, view: str = "") -> None:
        super().__init__(session, view)
        self._news_pace = Pace(self._ask_for_news, self.set_timer, 1.0)

    @property
    def items(self) -> Mapping[str, AuditEntry]:
        return self.session.auditing.trail.entries

    def make_order(self) -> tuple[Order[AuditEntry], Groups]:
        return KeyOrder(lambda entry: entry.number, descending=True), tuple

    def on_mount(self) -> None:
        """Beside that of the base class, which Textual calls too."""
        self.set_interval(_LOOK_EVERY, self._look_for_news)
        self.fill()

    async def load_more(self) -> None:
        if self._may_read:
            await self.session.auditing.more(self.where, self.window)

    def take(self, changes: Changes) -> None:
        super().take(changes)
        if not _is_of_audit(changes):
            self._look_for_news()

    # What it shows.

    def draw(self, row_id: str) -> Sequence[Cell]:
        entry = self.rows.view.get(row_id)
        if entry is None:
            raise KeyError(row_id)
        is_dimmed = self.rows.view.is_dimmed(row_id)
        return cells.entry_cells(entry, self.session.now(), self.session.look, is_dimmed=is_dimmed)

    def describe(self, row_id: str, *, wide: bool) -> Sequence[Text]:
        entry = self.rows.view.get(row_id)
        return cells.describe_entry(entry, self.session.look, wide=wide) if entry else ()

    def next_change(self, item: AuditEntry, now: datetime) -> float | None:  # noqa: ARG002  (all on the minute)
        return seconds_to_next(None, now)

    def empty_text(self) -> str:
        if not self._may_read:
            scopes = ", ".join(self.session.me.scopes) if self.session.me else ""
            return f"for administrators: your token lacks the scope admin (it has {scopes or 'none'})"
        return "nothing was done yet" if self._has_all else super().empty_text()

    # What can be done.

    def offers(self) -> Sequence[Offer]:
        here = self.here
        offers = [
            Offer("open") if here else None,
            Offer("filter"),
            Offer("trail", "all of it") if here else None,
            Offer("next_view"),
            Offer("back"),
            Offer("copy", shown=False) if here else None,
            Offer("previous_view", shown=False),
        ]
        return [offer for offer in offers if offer is not None]

    def open_row(self, row_id: str) -> None:
        entry = self.rows.view.get(row_id)
        if entry is not None:
            self.session.shell.open_entry(entry)

    def back_further(self) -> None:
        """It has no number of its own: to where one came from, when nothing is left to clear."""
        is_cleared = self.saved is self.VIEWS[0]
        super().back_further()
        if is_cleared:
            self.session.shell.back_to_view()

    def act_trail(self) -> None:
        """All that was done with what the cursor's entry is about."""
        if self.here:
            self.show_view(self.VIEWS[0].name)
            self.show_filter(f"subject:{quoted(self.here.subject_name or self.here.subject_id)}")

    def act_copy(self) -> None:
        if self.here:
            self.session.shell.copy(f"jobdeck audit --subject {self.here.subject_id}")

    def start_anew(self, *, to_top: bool) -> None:
        self.session.auditing.begin_anew()
        super().start_anew(to_top=to_top)

    # News.

    @property
    def _may_read(self) -> bool:
        return self.session.can("admin")

    @property
    def _has_all(self) -> bool:
        """Asked, and nothing is wanted but what there is."""
        return self.window.at_end and not self.where

    def _look_for_news(self) -> None:
        is_begun = bool(self.items) or self._has_all
        if is_begun and self.is_current and self.session.world.link.online and self._may_read:
            self._news_pace.request()

    def _ask_for_news(self) -> None:
        self._read_news()

    @work(exclusive=True, group="news")
    async def _read_news(self) -> None:
        """The line itself says what is wrong with it."""
        try:
            await self.session.auditing.news()
        except JobdeckError:
            return


def _is_of_audit(changes: Changes) -> bool:
    ids = changes.added | changes.changed | changes.removed.keys()
    return bool(ids) and all(item_id.startswith(ENTRY) for item_id in ids)
