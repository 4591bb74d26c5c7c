"""The schedule: the ledger by outcome, and sentinels that speak."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from console.render.ages import seconds_to_next
from console.screens.roster import RosterScreen, Section, views
from console.screens.schedule import cells
from console.widgets.footer import Offer
from console.widgets.table.messages import RowHighlighted

if TYPE_CHECKING:
    from rich.text import Text

    from console.session import ConsoleSession
    from console.widgets.table import Cell
    from shared.models import Fire, Job, Sentinel

_PAGE = 200
_SEARCHED, _FEW = 5, 20
"""Pages in which a filter looks as long as it has found no more rows than that."""
_UPCOMING, _UNLIKE = "upcoming", "unlike"
_OUTCOMES = (
    ("ledger", "Ledger", None, "nothing was due yet"),
    ("skipped", "Skipped", "skipped", "no fire was skipped"),
    ("missed", "Missed", "missed", "no fire was missed"),
    ("held", "Held", "held", "no missed fire waits"),
)


class ScheduleScreen(RosterScreen):
    """`job`: of that one alone (id and name). More of the ledger comes in while the cursor goes down."""

    NAME = "schedule"
    ACTS: ClassVar[tuple[str, ...]] = (*RosterScreen.ACTS, "open", "why", "acknowledge", "copy")

    def __init__(self, session: ConsoleSession) -> None:
        self.job: tuple[str, str] | None = None
        self._pages = self._loaded_pages = 1
        super().__init__(session)

    def sections(self) -> Iterable[Section]:
        for name, title, outcome, empty in _OUTCOMES:
            yield Section(
                name, title, cells.FIRE_COLUMNS, partial(self._fires, outcome), lambda fire: str(fire.id),
                self._fire_cells, self._describe_fire, empty, frozenset({"fires"}),
            )  # fmt: skip
        yield Section(
            _UPCOMING, "Upcoming", cells.UPCOMING_COLUMNS, self._upcoming, lambda job: job.id,
            lambda job: cells.upcoming_cells(job, self.session.now(), self.session.look),
            lambda job: cells.describe_upcoming(job, self.session.now(), self.session.look),
            "no job fires by itself", frozenset({"fires"}),
        )  # fmt: skip
        yield Section(
            _UNLIKE, "Unlike itself", cells.SENTINEL_COLUMNS, self._sentinels, lambda told: told.id,
            lambda told: cells.sentinel_cells(told, self.session.now(), self.session.look),
            lambda told: cells.describe_sentinel(told, self.session.now(), self.session.look),
            "every job is as it usually is", frozenset({"sentinels"}),
        )  # fmt: skip

    def offers(self) -> Sequence[Offer]:
        here, unseen = self.here, self._unseen
        is_job = self.section.name == _UPCOMING
        can_open = here is not None and (is_job or here.run_id is not None)
        return [
            *([Offer("open", "details" if is_job else "its run")] if can_open else []),
            *([Offer("acknowledge")] if unseen and self.session.can("run") else []),
            *([Offer("why")] if here is not None else []),
            *views(self._sections),
            *([Offer("mark", shown=bool(unseen)), Offer("copy", shown=False)] if here is not None else []),
            Offer("back", "all jobs" if self.job else "", shown=self.job is not None),
        ]

    def show_job(self, job_id: str, name: str) -> None:
        """The ledger of one job."""
        self.job = (job_id, name)
        self.show_section("ledger")

    def show_section(self, name: str) -> bool:
        self._pages = self._loaded_pages = 1
        return super().show_section(name)

    def leave(self) -> None:
        if self.job is None:
            self.table.rest()
        else:
            self.job = None
            self.show_section("ledger")

    def look_again(self, now: datetime) -> float | None:  # type: ignore[override]
        """What fires within a minute is counted down."""
        rest = super().look_again(now) or 60.0
        if self.section.name != _UPCOMING:
            return rest
        shown = [self.items[row_id] for row_id in self.table.visible_ids if row_id in self.items]
        return min([rest, *(seconds_to_next(job.next_run_at, now) for job in shown)])

    def open_here(self) -> None:
        if self.here is None:
            return
        if self.section.name == _UPCOMING:
            from console.screens.job import JobScreen

            self.app.push_screen(JobScreen(self.session, self.here.id))
        elif self.here.run_id:
            self.session.shell.open_run(self.here.run_id)

    def act_why(self) -> None:
        self.session.shell.open_why(self._job_id)

    async def act_acknowledge(self) -> None:
        """Seen: it stays until the job is as usual again, without calling."""
        for told in self._unseen:
            await self.session.client.sentinels.acknowledge(told.id)
        self.decided()

    def act_copy(self) -> None:
        self.session.shell.copy(f"jobdeck explain {self._job_id}")

    def on_virtual_table_row_highlighted(self, message: RowHighlighted) -> None:
        super().on_virtual_table_row_highlighted(message)
        if message.row_id is not None and self.source.index_of(message.row_id) == len(self.source) - 1:
            self._load_on()

    # Helpers.

    def _show(self, found: Sequence[Any]) -> None:
        """A filter that takes little of what is loaded asks for more."""
        super()._show(found)
        if self.filter_text and len(self.items) < _FEW and self._pages < _SEARCHED:
            self._load_on()

    def _load_on(self) -> None:
        if self.has_more and self.section.name not in (_UPCOMING, _UNLIKE) and self._pages == self._loaded_pages:
            self._pages += 1
            self.load()

    @property
    def _job_id(self) -> str:
        """Of the row under the cursor."""
        return str(self.here.id if self.section.name == _UPCOMING else self.here.job_id)

    @property
    def _unseen(self) -> list[Sentinel]:
        if self.section.name != _UNLIKE:
            return []
        return [told for told in self.targets if told.acknowledged_at is None]

    async def _fires(self, outcome: str | None) -> Sequence[Fire]:
        """The newest first, as many pages as were looked at."""
        found: list[Fire] = []
        before: int | None = None
        for _ in range(self._pages):
            page = await self.session.client.world.fires(
                job_id=self.job[0] if self.job else None, outcome=outcome, before=before, limit=_PAGE
            )
            found += page.items
            before = page.before
            if before is None:
                break
        self._loaded_pages, self.has_more = self._pages, before is not None
        return found

    async def _upcoming(self) -> Sequence[Job]:
        """Those that fire next, the first one first."""
        page = await self.session.client.jobs.page(
            where="enabled:yes paused:no -next:none", sort="nextRunAt", limit=_PAGE
        )
        self.has_more = page.total > len(page.items)
        return [job for job in page.items if job.next_run_at is not None]

    async def _sentinels(self) -> Sequence[Sentinel]:
        page = await self.session.client.sentinels.page(limit=_PAGE)
        self.has_more = page.before is not None
        return page.items

    def _fire_cells(self, fire: Fire) -> Sequence[Cell]:
        return cells.fire_cells(fire, self._job_name(fire.job_id), self.session.now(), self.session.look)

    def _describe_fire(self, fire: Fire) -> Sequence[Text]:
        run = self.session.world.runs.get(fire.run_id or "")
        return cells.describe_fire(fire, self._job_name(fire.job_id), run, self.session.now(), self.session.look)

    def _job_name(self, job_id: str) -> str:
        if self.job is not None:
            return self.job[1]
        job = self.session.world.named_jobs.get(job_id)
        if job is None:
            self.session.live.introduce([job_id])
        return job.name if job else job_id
