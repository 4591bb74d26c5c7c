"""How a job came to be as it is: its revisions, what each changed, and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.widget import Widget

from console.render.spans import clock_time
from console.screens.edit.review import changes
from console.screens.roster import RosterScreen, Section
from console.session import Question
from console.widgets.footer import Offer
from console.widgets.line import safe_text
from console.widgets.panel import Panel
from console.widgets.table import Cell, Column
from console.widgets.table.messages import RowHighlighted
from shared.errors import JobdeckError

if TYPE_CHECKING:
    from console.client.answers import Revision
    from console.session import ConsoleSession
    from shared.models import Job

_COLUMNS = (
    Column("revision", "Rev", 5, align="right"),
    Column("when", "Published", 12),
    Column("who", "By", 12, flex=1),
    Column("from", "", 22, flex=2),
)


class RevisionsScreen(RosterScreen):
    """The newest first; below what the one under the cursor changed of the one before, and what going back would."""

    NAME = "revisions"
    ACTS: ClassVar[tuple[str, ...]] = ("filter", "restore", "diff", "copy")
    DEFAULT_CSS = """
    RevisionsScreen Detail, RevisionsScreen.-wide Detail { display: none; }
    RevisionsScreen Panel { height: 60%; background: $surface; }
    """

    def __init__(self, session: ConsoleSession, job: Job) -> None:
        self._job = job
        self._panel = Panel()
        self._against_now = False
        super().__init__(session)

    def sections(self) -> Iterable[Section]:
        yield Section(
            "revisions", f"Revisions of {self._job.name}", _COLUMNS, self._revisions, lambda each: str(each.revision),
            self._cells, lambda _: (), "it has no revisions", frozenset(),
        )  # fmt: skip

    def compose_body(self) -> Iterable[Widget]:
        yield from super().compose_body()
        yield self._panel

    def offers(self) -> Sequence[Offer]:
        here: Revision | None = self.here
        if here is None:
            return (Offer("filter"), Offer("back"))
        is_old = here.revision != self._newest
        return [
            Offer("diff", "what it changed" if self._against_now else "compare with now"),
            *([Offer("restore", f"restore {here.revision}")] if is_old and self.session.can("edit") else []),
            Offer("copy"),
            Offer("filter"),
            Offer("back"),
        ]

    def leave(self) -> None:
        self.session.shell.back()

    def on_virtual_table_row_highlighted(self, message: RowHighlighted) -> None:
        super().on_virtual_table_row_highlighted(message)
        self._compare()

    def act_diff(self) -> None:
        """What it changed, or what differs from the job as it is."""
        self._against_now = not self._against_now
        self._compare()
        self.refresh_footer()

    async def act_restore(self) -> None:
        here: Revision = self.here
        count = 1 if self.session.is_production else None
        question = Question(
            f"make revision {here.revision} of {self._job.name} its next one?", "restore it", count=count
        )
        if not await self.session.shell.ask(question):
            return
        self._job = await self.session.client.jobs.restore(self._job.id, here.revision)
        self.session.shell.say(
            f"{self._job.name}: revision {self._job.revision} says what {here.revision} said", "good"
        )
        self.decided()

    def act_copy(self) -> None:
        before = max(1, self.here.revision - 1)
        self.session.shell.copy(f"jobdeck job diff {self._job.slug} {before} {self.here.revision}")

    # Helpers.

    @property
    def _newest(self) -> int:
        return max((each.revision for each in self.loaded), default=0)

    async def _revisions(self) -> Sequence[Revision]:
        found = await self.session.client.jobs.revisions(self._job.id)
        return sorted(found, key=lambda each: -each.revision)

    def _cells(self, each: Revision) -> Sequence[Cell]:
        muted = self.session.look.palette.muted
        came = f"restored from {each.restored_from}" if each.restored_from else ""
        if each.revision == self._newest:
            came = f"{came}, now" if came else "now"
        moment = clock_time(each.created_at, self.session.now())
        return (
            Text(str(each.revision)),
            Text(moment, muted),
            safe_text(each.author or each.author_id or "–"),
            Text(came, muted),
        )

    @work(exclusive=True, group="compare")
    async def _compare(self) -> None:
        here: Revision | None = self.here
        if here is None:
            return
        before, after = (here.revision, self._newest) if self._against_now else (here.revision - 1, here.revision)
        look, job = self.session.look, self._job
        if before == after or before < 1:
            first = "it is what the job says now" if before == after else "the first one: nothing was before it"
            self._panel.show([Text(first, look.palette.muted)])
            return
        try:
            compared = await self.session.client.jobs.compare(job.id, before, after)
        except JobdeckError as error:
            self._panel.show([safe_text(error.message, look.palette.bad)])
            return
        head = Text(f"from {before} to {after}", "bold")
        self._panel.show([head, *changes(compared, here.definition.timezone, look)])
