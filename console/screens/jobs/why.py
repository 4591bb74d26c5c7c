"""Why a job did (not) run: the agent's sentences, what became of its last fires, and when it fires next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.containers import VerticalScroll
from textual.widget import Widget

from console.render.spans import clock_time, countdown
from console.render.states import state_mark
from console.screens.base import ConsoleScreen
from console.session import ConsoleSession
from console.widgets.detail import Lines
from console.widgets.footer import Offer
from console.widgets.line import safe_text
from shared.errors import JobdeckError

if TYPE_CHECKING:
    from console.client.answers import Explanation
    from shared.models import Fire, Run

_RECENT = 50
"""Runs of the job among which those of its last fires are looked for."""
_MOMENT = 14


class WhyScreen(ConsoleScreen):
    NAME = "why"
    ACTS: ClassVar[tuple[str, ...]] = ("its_runs", "ledger", "copy")
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, session: ConsoleSession, job_id: str) -> None:
        super().__init__(session)
        self._job_id = job_id
        self._lines = Lines()
        self._told: Explanation | None = None
        self._runs: Mapping[str, Run] = {}

    def compose_body(self) -> Iterable[Widget]:
        yield VerticalScroll(self._lines)

    def on_mount(self) -> None:
        super().on_mount()
        self._ask()

    def offers(self) -> Sequence[Offer]:
        known = (Offer("its_runs"), Offer("ledger"), Offer("copy")) if self._told else ()
        return (*known, Offer("back"), Offer("jump"))

    def act_its_runs(self) -> None:
        if self._told:
            self.session.shell.go_to("filter", f"job:{self._told.job.slug}")

    def act_ledger(self) -> None:
        self.session.shell.go_to("ledger", self._job_id)

    def act_copy(self) -> None:
        if self._told:
            self.session.shell.copy(f"jobdeck explain {self._told.job.slug}")

    @work(exclusive=True)
    async def _ask(self) -> None:
        try:
            self._told = await self.session.client.jobs.explain(self._job_id)
            self._lines.show(self._tell(self._told))
            self.refresh_footer()
            self._runs = await self._runs_of(self._told)
            self._lines.show(self._tell(self._told))
        except JobdeckError as error:
            self._lines.show([safe_text(error.message, self.session.look.palette.bad)])

    async def _runs_of(self, told: Explanation) -> Mapping[str, Run]:
        """Fires name their runs by id; people know them by number."""
        known, wanted = self.session.world.runs, {fire.run_id for fire in told.last_fires if fire.run_id}
        if wanted <= known.keys():
            return known
        page = await self.session.client.runs.page(where=f"job:{told.job.slug}", limit=_RECENT)
        return {**known, **{run.id: run for run in page.items}}

    def _tell(self, told: Explanation) -> list[Text]:
        look, now = self.session.look, self.session.now()
        lines = [safe_text(told.job.name, "bold"), safe_text(told.job.schedule_text, look.palette.muted), Text()]
        lines += [safe_text(sentence) for sentence in told.standing]
        if told.last_fires:
            lines += [Text(), Text("Last fires", "bold")]
        lines += [self._fire(fire, words, now) for fire, words in told.told_fires]
        if told.next_fires:
            lines += [Text(), Text("Next fires", "bold")]
        lines += [_moment(at, now, look.palette.muted).append(countdown(at, now)) for at in told.next_fires]
        return lines

    def _fire(self, fire: Fire, words: str, now: datetime) -> Text:
        """When, its run with how that stands, and what became of it."""
        run = self._runs.get(fire.run_id or "")
        line = _moment(fire.fire_at, now, self.session.look.palette.muted)
        if run is not None:
            line.append_text(state_mark(run.state, self.session.look)).append(f"#{run.number}  ")
        many = f", {fire.count:,} fires" if fire.count > 1 else ""
        return line.append_text(safe_text(f"{words}{many}"))


def _moment(at: datetime, now: datetime, style: str) -> Text:
    return Text(f"{clock_time(at, now):<{_MOMENT}}", style)
