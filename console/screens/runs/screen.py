"""Runs: what can be done with the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from console.model import Changes, KeyOrder, Order, TriageOrder
from console.model.order import RUN_KEYS
from console.screens.listing import ListScreen
from console.screens.rows import CAUSE, Groups
from console.screens.runs import cells
from console.screens.runs.describe import describe_cause, describe_run
from console.screens.views import RUN_VIEWS, SavedView
from console.widgets.footer import Offer
from shared.states import FINAL, RunState

if TYPE_CHECKING:
    from rich.text import Text

    from console.widgets.table import Cell
    from shared.models import Run

_KEYS = {"when": "started", "took": "duration", "job": "job"}


class RunsScreen(ListScreen["Run"]):
    NAME = "runs"
    KIND = "run"
    VIEWS = RUN_VIEWS
    COLUMNS = cells.COLUMNS
    SORTS = cells.SORTS
    TIMED = cells.TIMED
    ACTS: ClassVar[tuple[str, ...]] = (
        "filter", "next_view", "previous_view", "log", "next_group", "previous_group", "rerun", "cancel",
        "run_now", "create", "why", "trail", "copy",
    )  # fmt: skip

    @property
    def items(self) -> Mapping[str, Run]:
        return self.session.world.runs

    def make_order(self) -> tuple[Order[Run], Groups]:
        column, descending = self.sort
        if column == cells.TRIAGE:
            triage = TriageOrder()
            return triage, triage.groups
        return KeyOrder(RUN_KEYS[_KEYS[column]], descending=descending), tuple

    async def load_more(self) -> None:
        await self.session.live.more_runs(self.where, self.window)

    def take(self, changes: Changes) -> None:
        if changes.forgotten:
            self.window.forgot(changes.forgotten)
        super().take(changes)

    # What it shows.

    def draw(self, row_id: str) -> Sequence[Cell]:
        now, look = self.session.now(), self.session.look
        if row_id.startswith(CAUSE):
            runs = self._runs_of(row_id)
            return cells.cause_cells(runs, len(self.rows.members(row_id)), now, look, is_open=self.rows.is_open(row_id))
        run = self.rows.view.get(row_id)
        if run is None:
            raise KeyError(row_id)
        is_dimmed = self.rows.view.is_dimmed(row_id)
        is_member = self.rows.is_member(row_id)
        return cells.run_cells(run, now, look, is_member=is_member, is_dimmed=is_dimmed, undo=self._undo_sign)

    def describe(self, row_id: str, *, wide: bool) -> Sequence[Text]:
        now, look = self.session.now(), self.session.look
        if row_id.startswith(CAUSE):
            return describe_cause(self._runs_of(row_id), len(self.rows.members(row_id)), now, look, wide=wide)
        run = self.rows.view.get(row_id)
        return describe_run(run, now, look, self._undo_sign, wide=wide) if run else ()

    def alarm_of(self, waiting: Iterable[Run]) -> str:
        failed = sum(run.state is RunState.FAILED for run in waiting)
        return f", {failed:,} {self.session.look.glyphs.states[RunState.FAILED]}" if failed else ""

    def next_change(self, item: Run, now: datetime) -> float | None:
        return cells.next_change(item, now)

    def _tab_style(self, view: SavedView) -> str:
        palette = self.session.look.palette
        if view.name == "failed" and self.session.world.counts["failed"]:
            return palette.bad
        return palette.states[RunState.RUNNING] if view.name == "active" else ""

    # What can be done.

    def offers(self) -> Sequence[Offer]:
        targets, session = self.targets, self.session
        here, can_run = self.here, session.can("run")
        ended = [run for run in targets if run.state in FINAL]
        active = [run for run in targets if run.state not in FINAL and run.cancel_due_at is None]
        fails = session.world.counts["failed"] > 0
        offers = [
            Offer("rerun", f"rerun{_number(ended)}") if ended and can_run else None,
            Offer("cancel", f"cancel{_number(active)}") if active and can_run else None,
            Offer("log") if here else None,
            Offer("open", self._open_word()) if here else None,
            Offer("why") if here else None,
            Offer("next_group") if fails else None,
            Offer("run_now") if targets and can_run else None,
            Offer("mark") if here else None,
            Offer("filter"),
            Offer("create") if session.can("edit") else None,
            Offer("trail", shown=False) if here else None,
            Offer("copy", shown=False) if here else None,
            Offer("previous_group", shown=False) if fails else None,
            Offer("mark_all", shown=False) if here else None,
            Offer("next_view", shown=False),
            Offer("previous_view", shown=False),
        ]
        return [offer for offer in offers if offer is not None]

    def open_row(self, row_id: str) -> None:
        self.session.shell.open_run(row_id)

    def act_log(self) -> None:
        if self.here:
            self.session.shell.open_run(self.here.id, log=True)

    async def act_rerun(self) -> None:
        await self.session.acting.rerun(self.targets)
        self._unmark()

    async def act_cancel(self) -> None:
        await self.session.acting.cancel(self.targets)
        self._unmark()

    async def act_run_now(self) -> None:
        jobs = {run.job_id: run.job_name for run in self.targets}
        await self.session.acting.run_now(list(jobs.items()))

    def act_create(self) -> None:
        self.session.shell.open_create()

    def act_why(self) -> None:
        if self.here:
            self.session.shell.open_why(self.here.job_id)

    def act_trail(self) -> None:
        if self.here:
            self.session.shell.go_to("audit", f"subject:{self.here.id}")

    def act_copy(self) -> None:
        if self.here:
            self.session.shell.copy(f"jobdeck run show {self.here.id}")

    def act_next_group(self) -> None:
        self._to_group(1)

    def act_previous_group(self) -> None:
        self._to_group(-1)

    # Helpers.

    @property
    def _undo_sign(self) -> str:
        return self.session.keymap.sign("undo")

    def _groups(self) -> list[str]:
        """The first row of each cause, in order: its own, or of the only run."""
        heads = []
        seen: set[str] = set()
        for row_id in self.rows.shown:
            if row_id.startswith(CAUSE):
                heads.append(row_id)
                seen.update(self.rows.members(row_id))
            elif row_id not in seen and self._is_failed(row_id):
                heads.append(row_id)
        return heads

    def _is_failed(self, row_id: str) -> bool:
        run = self.rows.view.get(row_id)
        return run is not None and run.state is RunState.FAILED

    def _to_group(self, step: int) -> None:
        heads = self._groups()
        cursor = self.table.cursor_id
        here = self.rows.index_of(cursor) if cursor else None
        places = [(self.rows.index_of(head) or 0, head) for head in heads]
        ahead = [head for place, head in places if here is None or (place - here) * step > 0]
        if ahead:
            self.table.move_to(ahead[0] if step > 0 else ahead[-1])
        elif heads:
            self.table.move_to(heads[0] if step > 0 else heads[-1])

    def _runs_of(self, cause_row: str) -> list[Run]:
        found = [self.rows.view.get(item) for item in self.rows.members(cause_row)]
        runs = [run for run in found if run is not None]
        if not runs:
            raise KeyError(cause_row)
        return runs

    def _open_word(self) -> str:
        row_id = self.table.cursor_id or ""
        if not row_id.startswith(CAUSE):
            return "open"
        return "hide runs" if self.rows.is_open(row_id) else "show runs"

    def _unmark(self) -> None:
        self.table.set_marks(())


def _number(runs: Sequence[Run]) -> str:
    """` 3 failed` for several of one state, ` 5` of several; nothing for one."""
    if len(runs) < 2:
        return ""
    states = Counter(str(run.state) for run in runs)
    return f" {len(runs):,} {next(iter(states))}" if len(states) == 1 else f" {len(runs):,}"
