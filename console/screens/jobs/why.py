"""Why a job did (not) run: the agent's sentences, and what they rest on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.containers import VerticalScroll
from textual.widget import Widget

from console.render.spans import clock_time, countdown
from console.render.states import state_text
from console.screens.base import ConsoleScreen
from console.session import ConsoleSession
from console.widgets.detail import Lines
from console.widgets.footer import Offer
from console.widgets.line import safe_text
from shared.errors import JobdeckError

if TYPE_CHECKING:
    from console.client.answers import Explanation


class WhyScreen(ConsoleScreen):
    NAME = "why"
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, session: ConsoleSession, job_id: str) -> None:
        super().__init__(session)
        self._job_id = job_id
        self._lines = Lines()

    def compose_body(self) -> Iterable[Widget]:
        yield VerticalScroll(self._lines)

    def on_mount(self) -> None:
        super().on_mount()
        self._ask()

    def offers(self) -> Sequence[Offer]:
        return (Offer("back"), Offer("jump"))

    @work(exclusive=True)
    async def _ask(self) -> None:
        try:
            self._lines.show(self._tell(await self.session.client.jobs.explain(self._job_id)))
        except JobdeckError as error:
            self._lines.show([safe_text(error.message, self.session.look.palette.bad)])

    def _tell(self, told: Explanation) -> list[Text]:
        look, now = self.session.look, self.session.now()
        lines = [safe_text(told.job.name, "bold"), safe_text(told.job.schedule_text, look.palette.muted), Text()]
        lines += [safe_text(sentence) for sentence in told.sentences]
        if told.active_runs:
            lines += [Text(), Text("Active", "bold")]
        for run in told.active_runs:
            lines.append(
                state_text(run.state, look).append(f"  #{run.number}  ").append_text(safe_text(run.waiting_for or ""))
            )
        if told.last_fires:
            lines += [Text(), Text("Last fires", "bold")]
        for fire in told.last_fires:
            words = f"{fire.outcome} ({fire.reason.replace('_', ' ')})" + (
                f", {fire.count} of them" if fire.count > 1 else ""
            )
            lines.append(Text(f"{clock_time(fire.fire_at, now):<14}", look.palette.muted).append_text(safe_text(words)))
        if told.next_fires:
            lines += [Text(), Text("Next fires", "bold")]
        lines += [
            Text(f"{clock_time(at, now):<14}", look.palette.muted).append(countdown(at, now)) for at in told.next_fires
        ]
        return lines
