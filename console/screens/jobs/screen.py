"""Jobs: what can be done with the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from console.model import KeyOrder, Order
from console.model.order import JOB_KEYS
from console.screens.jobs import cells
from console.screens.listing import ListScreen
from console.screens.matching import quoted
from console.screens.rows import Groups
from console.screens.views import JOB_VIEWS
from console.widgets.footer import Offer

if TYPE_CHECKING:
    from rich.text import Text

    from console.widgets.table import Cell
    from shared.models import Job

_AGENT_SORTS = {"name": "name", "next": "nextRunAt", "type": "type", "last": "name", "enabled": "enabled"}
_SHORT_ID = 8


class JobsScreen(ListScreen["Job"]):
    NAME = "jobs"
    KIND = "job"
    VIEWS = JOB_VIEWS
    COLUMNS = cells.COLUMNS
    SORTS = cells.SORTS
    TIMED = cells.TIMED
    ACTS: ClassVar[tuple[str, ...]] = (
        "filter", "next_view", "previous_view", "run_now", "pause", "create", "edit", "why", "detail", "ledger", "revisions", "trail", "copy",
    )  # fmt: skip

    @property
    def items(self) -> Mapping[str, Job]:
        return self.session.world.jobs

    def make_order(self) -> tuple[Order[Job], Groups]:
        column, descending = self.sort
        return KeyOrder(JOB_KEYS[column], descending=descending), tuple

    async def load_more(self) -> None:
        await self.session.live.more_jobs(self.where, _AGENT_SORTS[self.sort[0]], self.window)

    def draw(self, row_id: str) -> Sequence[Cell]:
        job = self.rows.view.get(row_id)
        if job is None:
            raise KeyError(row_id)
        session, is_dimmed = self.session, self.rows.view.is_dimmed(row_id)
        return cells.job_cells(job, self._owner(job), session.now(), session.look, is_dimmed=is_dimmed)

    def describe(self, row_id: str, *, wide: bool) -> Sequence[Text]:
        job, session = self.rows.view.get(row_id), self.session
        return cells.describe_job(job, self._owner(job), session.now(), session.look, wide=wide) if job else ()

    def next_change(self, item: Job, now: datetime) -> float | None:
        return cells.next_change(item, now)

    def offers(self) -> Sequence[Offer]:
        targets, session = self.targets, self.session
        here = self.here
        number = f" {len(targets):,} jobs" if len(targets) > 1 else ""
        paused = bool(targets) and all(job.paused_at is not None for job in targets)
        offers = [
            Offer("open", "runs") if here else None,
            Offer("run_now", f"run now{number}") if targets and session.can("run") else None,
            Offer("pause", f"{'resume' if paused else 'pause'}{number}") if targets and session.can("edit") else None,
            Offer("detail") if here else None,
            Offer("edit") if here and not here.unreadable and session.can("edit") else None,
            Offer("why") if here else None,
            Offer("filter"),
            Offer("create") if session.can("edit") else None,
            Offer("mark") if here else None,
            Offer("sort"),
            Offer("ledger") if here else None,
            Offer("revisions") if here else None,
            Offer("trail", shown=False) if here else None,
            Offer("copy", shown=False) if here else None,
            Offer("mark_all", shown=False) if here else None,
            Offer("next_view", shown=False),
            Offer("previous_view", shown=False),
        ]
        return [offer for offer in offers if offer is not None]

    def open_row(self, row_id: str) -> None:
        """The job's runs."""
        job = self.rows.view.get(row_id)
        if job is not None:
            self.session.shell.go_to("filter", f"job:{job.slug}")

    async def act_run_now(self) -> None:
        await self.session.acting.run_now([(job.id, job.name) for job in self.targets])
        self.table.set_marks(())

    async def act_pause(self) -> None:
        await self.session.acting.pause(self.targets)
        self.table.set_marks(())

    def act_create(self) -> None:
        self.session.shell.open_create()

    def act_edit(self) -> None:
        if self.here:
            self.session.shell.open_edit(self.here.id)

    def act_why(self) -> None:
        if self.here:
            self.session.shell.open_why(self.here.id)

    def act_detail(self) -> None:
        if self.here:
            from console.screens.job import JobScreen

            self.app.push_screen(JobScreen(self.session, self.here.id))

    def act_revisions(self) -> None:
        if self.here:
            from console.screens.job import RevisionsScreen

            self.app.push_screen(RevisionsScreen(self.session, self.here))

    def act_ledger(self) -> None:
        if self.here:
            self.session.shell.go_to("ledger", self.here.id)

    def act_trail(self) -> None:
        """By its name, which its runs bear too."""
        if self.here:
            self.session.shell.go_to("audit", f"subject:{quoted(self.here.name)}")

    def act_copy(self) -> None:
        if self.here:
            self.session.shell.copy(f"jobdeck job show {self.here.slug}")

    def show_job(self, words: str) -> bool:
        """Put the cursor on the job that `words` name best, alone where it is not loaded; False when there is none."""
        found = find_job(words, list(self.session.world.named_jobs.values()))
        if found is None:
            return False
        if found.id not in self.items:
            self.show_view("all")
            self.show_filter(f"slug:{found.slug}")
            return True
        if self.rows.index_of(found.id) is None:
            self.show_view("all")
            self.show_filter("")
        return self.table.move_to(found.id)

    def _owner(self, job: Job) -> str:
        return self.session.world.handles.get(job.owner_id) or job.owner_id[:_SHORT_ID]


def find_job(words: str, jobs: Sequence[Job]) -> Job | None:
    """By id, slug or name; else the first whose name or slug begins with, then holds the words."""
    wanted = words.strip().casefold()
    tests = (
        lambda job: wanted in {job.id, job.slug, job.name.casefold()},
        lambda job: job.name.casefold().startswith(wanted) or job.slug.startswith(wanted),
        lambda job: wanted in job.name.casefold() or wanted in job.slug,
    )
    if not wanted:
        return None
    by_name = sorted(jobs, key=lambda job: job.name.casefold())
    return next((job for test in tests for job in by_name if test(job)), None)
