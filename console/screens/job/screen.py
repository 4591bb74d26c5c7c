"""A job in full: definition, policies, next fires, last fires."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.widget import Widget

from console.model import Changes
from console.render.look import Look
from console.render.spans import clock_time, countdown
from console.render.values import plain
from console.screens.base import ConsoleScreen
from console.screens.jobs.cells import describe_job
from console.session import Question
from console.widgets.footer import Offer
from console.widgets.panel import Panel
from shared.errors import JobdeckError

if TYPE_CHECKING:
    from console.client.answers import Explanation
    from console.session import ConsoleSession
    from shared.models import Job

_LABEL = 11


class JobScreen(ConsoleScreen):
    """Everything that its row has no room for; the acts of the list go to it as well."""

    NAME = "job"
    ACTS: ClassVar[tuple[str, ...]] = (
        "run_now", "pause", "edit", "why", "ledger", "revisions", "its_runs", "give", "trail", "copy",
    )  # fmt: skip
    AUTO_FOCUS = "Panel"
    DEFAULT_CSS = "JobScreen Panel { height: 1fr; }"

    def __init__(self, session: ConsoleSession, job_id: str) -> None:
        super().__init__(session)
        self._job_id = job_id
        self._panel = Panel()
        self._told: Explanation | None = None
        self._failure = ""

    def compose_body(self) -> Iterable[Widget]:
        yield self._panel

    def on_mount(self) -> None:
        """Beside that of the base class, which Textual calls too."""
        self._draw()
        self._ask()

    def offers(self) -> Sequence[Offer]:
        job, session = self.job, self.session
        if job is None:
            return (Offer("back"),)
        offers = [
            Offer("its_runs"),
            Offer("run_now") if session.can("run") else None,
            Offer("pause", "resume" if job.paused_at else "pause") if session.can("edit") else None,
            Offer("edit") if session.can("edit") and not job.unreadable else None,
            Offer("revisions"),
            Offer("why"),
            Offer("ledger"),
            Offer("back"),
            Offer("give") if self._may_give(job) else None,
            Offer("trail", shown=False),
            Offer("copy", shown=False),
        ]
        return [offer for offer in offers if offer is not None]

    @property
    def job(self) -> Job | None:
        known = self.session.world.named_jobs.get(self._job_id)
        return known or (self._told.job if self._told else None)

    def take(self, changes: Changes) -> None:
        if self._job_id in changes.changed:
            self._draw()

    def look_again(self, now: datetime) -> float | None:  # type: ignore[override]
        self._draw()
        return 60.0 - now.second

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    # Acts.

    def act_its_runs(self) -> None:
        if self.job:
            self.session.shell.go_to("filter", f"job:{self.job.slug}")

    async def act_run_now(self) -> None:
        if self.job:
            await self.session.acting.run_now([(self.job.id, self.job.name)])

    async def act_pause(self) -> None:
        if self.job:
            await self.session.acting.pause([self.job])

    def act_edit(self) -> None:
        self.session.shell.open_edit(self._job_id)

    def act_why(self) -> None:
        self.session.shell.open_why(self._job_id)

    def act_ledger(self) -> None:
        self.session.shell.go_to("ledger", self._job_id)

    def act_revisions(self) -> None:
        from console.screens.job.revisions import RevisionsScreen

        if self.job:
            self.app.push_screen(RevisionsScreen(self.session, self.job))

    def act_give(self) -> None:
        from console.screens.job.giving import GiveScreen

        if self.job:
            self.app.push_screen(GiveScreen(self.session, self.job), self._asked_to_give)

    def act_trail(self) -> None:
        from console.screens.matching import quoted

        if self.job:
            self.session.shell.go_to("audit", f"subject:{quoted(self.job.name)}")

    def act_copy(self) -> None:
        if self.job:
            self.session.shell.copy(f"jobdeck job show {self.job.slug}")

    # Helpers.

    def _may_give(self, job: Job) -> bool:
        """Its owner may, and who administers; the agent has the last word."""
        me = self.session.me
        return self.session.can("edit") and (self.session.can("admin") or me is None or me.user_id == job.owner_id)

    def _asked_to_give(self, owner: str | None) -> None:
        if owner and self.job:
            self.run_worker(self._try(self._give(self.job, owner)))

    async def _give(self, job: Job, owner: str) -> None:
        count = 1 if self.session.is_production else None
        text = f"give {job.name} to {owner}? Its runs act as {owner} from then on"
        if await self.session.shell.ask(Question(text, "give it", count=count)):
            given = await self.session.client.shares.give_job(job.id, owner)
            if self._told is not None:
                self._told = self._told.model_copy(update={"job": given})
            self.session.shell.say(f"{job.name} is {owner}'s now", "good")
            self._draw()
            self.refresh_footer()

    @work(exclusive=True)
    async def _ask(self) -> None:
        try:
            self._told = await self.session.client.jobs.explain(self._job_id)
        except JobdeckError as error:
            self._failure = error.message
        self._draw()
        self.refresh_footer()

    def _draw(self) -> None:
        job, look = self.job, self.session.look
        if job is None or not self._panel.is_attached:
            self._panel.show([Text(self._failure, look.palette.bad)])
            return
        me, now = self.session.me, self.session.now()
        owner = me.handle if me and me.user_id == job.owner_id and me.handle else job.owner_id
        lines = [
            *describe_job(job, owner, now, look, wide=True),
            *(() if job.unreadable else (*_policies(job, look), *_work(job, look))),
            *self._fires(now),
        ]
        if self._failure:
            lines.append(Text(self._failure, look.palette.bad))
        width = max(20, self._panel.size.width - 2)
        self._panel.show([part for line in lines for part in _folded(line, width)])

    def _fires(self, now: datetime) -> Iterable[Text]:
        if self._told is None:
            return
        if self._told.next_fires:
            yield Text()
            yield Text("Next fires", "bold")
        for at in self._told.next_fires:
            yield Text(f"{clock_time(at, now):<14}{countdown(at, now)}")


def _policies(job: Job, look: Look) -> Iterable[Text]:
    """Those that the lines above have no word for."""
    policies = job.policies.model_dump(mode="json", by_alias=False)
    yield Text()
    yield Text("Policies", "bold")
    for name, value in policies.items():
        if name != "overlap" and value not in (None, {}, []):
            yield Text(f"{name.replace('_', ' '):<{_LABEL - 1}} ", look.palette.muted).append(_worded(value), "default")


def _worded(value: object) -> str:
    if isinstance(value, dict):
        return (
            ", ".join(f"{key.replace('_', ' ')} {plain(each)}" for key, each in value.items() if each is not None)
            or "as usual"
        )
    return plain(value)


def _work(job: Job, look: Look) -> Iterable[Text]:
    if job.actions:
        yield Text()
        yield Text("Actions", "bold")
    for place, action in enumerate(job.actions, 1):
        condition = f"  if {action.condition}" if action.condition else ""
        yield Text(f"{place}. {action.name or action.type}", "").append(condition, look.palette.muted)
    if job.datasets:
        yield Text()
        yield Text("Datasets", "bold")
    for each in job.datasets:
        yield Text(each.alias)


def _folded(line: Text, width: int) -> Iterable[Text]:
    """On as many lines as it needs; what follows stands below the value."""
    if line.cell_len <= width:
        return [line]
    indent = " " * _LABEL
    first, *rest = wrap(line.plain, width, subsequent_indent=indent, break_on_hyphens=False)
    head = line.copy()
    head.truncate(len(first))
    return [head, *(Text(each, line.spans[-1].style if line.spans else line.style) for each in rest)]
