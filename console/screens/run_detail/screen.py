"""The screen of one run."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from rich.text import Text
from textual import work
from textual.containers import Container, Vertical
from textual.widget import Widget

from console.model import Changes
from console.screens.base import ConsoleScreen
from console.screens.run_detail.facts import Facts
from console.screens.run_detail.summary import head, head_right, lines
from console.screens.run_detail.wording import is_cancelling, seconds_to_next
from console.session import ConsoleSession
from console.widgets.footer import Offer
from console.widgets.line import Line, safe_text
from console.widgets.log_pane import LogPane, Wanted
from console.widgets.panel import Panel
from console.widgets.table.pace import Pace
from shared.errors import JobdeckError
from shared.models import LogHits, LogPage
from shared.states import FINAL

T = TypeVar("T")

_WIDE = 120
_LOG_KEEPS = 0.55
"""Share of the height that the log keeps where it stands below."""


class RunDetail(ConsoleScreen):
    """Where the run stands, live; its log below, or beside from 120 columns. `log`: with the log alone."""

    NAME = "run"
    ACTS = ("log", "rerun", "cancel", "run_now", "why", "trail", "copy")
    AUTO_FOCUS = "LogView"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]

    DEFAULT_CSS = """
    RunDetail #body { height: 1fr; width: 100%; layout: vertical; }
    RunDetail #facts { height: auto; width: 100%; }
    RunDetail.-wide #body { layout: horizontal; }
    RunDetail.-wide #facts { width: 42%; height: 1fr; border-right: solid $panel; }
    RunDetail.-wide #facts Panel { height: 1fr; }
    RunDetail.-log #facts { display: none; }
    """

    def __init__(self, session: ConsoleSession, run_id: str, *, log: bool = False) -> None:
        super().__init__(session)
        self.run_id = run_id
        self.facts: Facts | None = None
        self.pane = LogPane(session.look, self._read_log, self._search_log)
        self._opened_as_log = log
        self._heads = (Line(), Line())
        self._panel = Panel()
        self._panel_height: int | None = None
        self._known: tuple[int, bool] | None = None
        self._steps_pace = Pace(self._renew_steps, self.set_timer, 1.0)

    # What the base class asks for.

    def compose_body(self) -> Iterable[Widget]:
        yield from self._heads
        yield Container(Vertical(self._panel, id="facts"), self.pane, id="body")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_class(self._opened_as_log, "-log")
        self.session.world.pinned |= {self.run_id}
        self._learn()
        if self.facts is None:
            self._load_run()
        self._open_log()

    def offers(self) -> Sequence[Offer]:
        facts = self.facts
        if facts is None:
            return (Offer("back"),)
        can_run, ended = self.session.can("run"), facts.run.state in FINAL
        asked = is_cancelling(facts.run) or facts.run.cancel_due_at is not None
        offers = [Offer("cancel")] if can_run and not ended and not asked else []
        offers += [Offer("rerun")] if can_run and ended else []
        offers += [Offer("log", "details" if self.has_class("-log") else "log"), Offer("why"), Offer("back")]
        offers += [Offer("run_now", shown=False)] if can_run else []
        return [*offers, Offer("copy"), Offer("trail", shown=False)]

    def take(self, changes: Changes) -> None:
        if self.run_id in changes.added | changes.changed:
            self._learn()
        elif self.facts is not None and self.facts.run.job_id in changes.changed:
            self._draw(self.session.now())
        if self.run_id in changes.removed and self.run_id not in self.session.world.runs:
            self.session.shell.say("this run was deleted; what is shown is the last that was known of it", "warning")
        if self.run_id in changes.logs:
            self.pane.grew(changes.logs[self.run_id])
        if self.session.world.link.online:
            self.pane.retry()
            if self.facts is None:
                self._load_run()

    def look_again(self, now: datetime) -> float | None:  # type: ignore[override]
        self._draw(now)
        return seconds_to_next(self.facts.run, now) if self.facts else None

    # Acts.

    def act_back(self) -> None:
        if self.dock.hush() or self.pane.escape():
            return
        if self.has_class("-log") and not self._opened_as_log:
            self.act_log()
        else:
            self.session.shell.back()

    def act_log(self) -> None:
        self.toggle_class("-log")
        self._opened_as_log = False
        self.pane.view.focus()
        self.refresh_footer()

    async def act_rerun(self) -> None:
        assert self.facts is not None
        run = self.facts.run
        with self.session.shell.keys_held():
            try:
                again = await self.session.client.runs.rerun(run.id, run.version)
            except JobdeckError as error:
                self.session.shell.say(f"not rerun: {error.message}", "error")
            else:
                self.session.shell.open_run(again.id)

    async def act_cancel(self) -> None:
        assert self.facts is not None
        await self.session.acting.cancel([self.facts.run])

    async def act_run_now(self) -> None:
        assert self.facts is not None
        await self.session.acting.run_now([(self.facts.run.job_id, self.facts.run.job_name)])

    def act_why(self) -> None:
        assert self.facts is not None
        self.session.shell.open_why(self.facts.run.job_id)

    def act_trail(self) -> None:
        self.session.shell.go_to("audit", f"subject:{self.run_id}")

    def act_copy(self) -> None:
        verb = "logs" if self.has_class("-log") else "show"
        self.session.shell.copy(f"jobdeck run {verb} {self.run_id}")

    # What is known.

    def _learn(self) -> None:
        """Take the run from the world, and ask for what has probably changed with it."""
        run = self.session.world.runs.get(self.run_id)
        if run is None:
            return
        if self.facts is None:
            self.facts = Facts(run)
            self._load_original()
        self.facts.run = run
        ended = run.state in FINAL
        if self._known != (run.version, ended):
            self._known = (run.version, ended)
            self._load_attempts()
        if ended:
            self.pane.ended()
        self._steps_pace.request()
        self._draw(self.session.now())

    @work(exclusive=True, group="run")
    async def _load_run(self) -> None:
        try:
            await self.session.live.load_run(self.run_id)
        except JobdeckError as error:
            self._heads[0].show(self._told(error))

    def _renew_steps(self) -> None:
        self._load_steps()

    @work(exclusive=True, group="steps")
    async def _load_steps(self) -> None:
        steps = await self._asked(self.session.client.runs.steps(self.run_id))
        if steps is not None and self.facts is not None:
            self.facts.steps = steps
            self._draw(self.session.now())

    @work(exclusive=True, group="attempts")
    async def _load_attempts(self) -> None:
        attempts = await self._asked(self.session.client.runs.attempts(self.run_id))
        if attempts is not None and self.facts is not None:
            self.facts.attempts = attempts
            self._draw(self.session.now())

    @work(exclusive=True, group="original")
    async def _load_original(self) -> None:
        assert self.facts is not None
        original = self.facts.run.original_run_id
        if original is None:
            return
        known = self.session.world.runs.get(original)
        self.facts.original = known or await self._asked(self.session.client.runs.get(original))
        self._draw(self.session.now())

    @work(group="log")
    async def _open_log(self) -> None:
        """Keys that come with the one that opened the run mean its log as it will stand."""
        with self.session.shell.keys_held(brief=True):
            await self.pane.opened()

    async def _read_log(self, start: int, limit: int) -> LogPage:
        return await self.session.client.runs.log(self.run_id, start, limit)

    async def _search_log(self, wanted: Wanted, start: int, backwards: bool) -> LogHits:  # noqa: FBT001  (as `Search` is)
        runs = self.session.client.runs
        return await runs.search_log(
            self.run_id, text=wanted.text, level=wanted.level, start=start, backwards=backwards
        )

    async def _asked(self, answer: Awaitable[T]) -> T | None:
        """None when it cannot be had: the line says so itself, and the next change asks again."""
        try:
            return await answer
        except JobdeckError:
            return None

    # How it is drawn.

    def on_resize(self) -> None:
        self.call_after_refresh(lambda: self._draw(self.session.now()))

    def _draw(self, now: datetime) -> None:
        if self.facts is None or not self._panel.is_attached:
            return
        look, job = self.session.look, self.session.world.named_jobs.get(self.facts.run.job_id)
        self.facts.unlike = job.sentinels if job else ()
        first, second = head(self.facts.run, now, look, self.session.keymap.sign("undo"))
        took, ended = head_right(self.facts.run, now, look)
        self._heads[0].show(first, took)
        self._heads[1].show(second, ended)
        told = lines(self.facts, now, look, max(20, self._panel.size.width - 2))
        self._fit_panel(len(told))
        self._panel.show(told)

    def _fit_panel(self, wanted: int) -> None:
        """Below each other, the log keeps its share; beside each other, both have the whole height."""
        if self.size.width >= _WIDE:
            height = None
        else:
            room = self.query_one("#body").size.height
            height = min(wanted, max(3, int(room * (1 - _LOG_KEEPS))))
        if height != self._panel_height:
            self._panel_height = height
            self._panel.styles.height = height

    def _told(self, error: JobdeckError) -> Text:
        return Text(" ").append_text(safe_text(error.message, self.session.look.palette.bad))
