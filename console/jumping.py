"""Where `:` leads: `job NAME`, `run ID`, `view NAME`, `ledger JOB`, `audit FILTER`, and every act by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from console.screens.runs import RunsScreen
from console.screens.views import AUDIT_VIEWS, JOB_VIEWS, RUN_VIEWS, SavedView
from shared.errors import JobdeckError

if TYPE_CHECKING:
    from console.screens.listing import ListScreen
    from console.shell import Console


class Jumping:
    def __init__(self, app: Console) -> None:
        self._app = app

    async def go(self, place: str, argument: str) -> None:
        """What cannot be reached is told."""
        try:
            await self._go_to(place, argument)
        except JobdeckError as error:
            self._app.say(error.message, "error")

    async def _go_to(self, place: str, argument: str) -> None:
        match place:
            case "job" if argument:
                await self._go_to_job(argument)
            case "run" if argument:
                await self._go_to_run(argument)
            case "view" if argument:
                await self._go_to_view(argument)
            case "filter":
                await self._app.to_mode("runs")
                self._filter(self._app.screen_of(RunsScreen), argument)
            case "audit" if argument:
                await self._go_to_audit(argument)
            case "ledger" if argument:
                await self._go_to_ledger(argument)
            case _ if (top := self._app.top()) is not None:
                await top.action_act(place)

    async def _go_to_job(self, words: str) -> None:
        from console.screens.jobs import JobsScreen

        await self._app.session.live.find_jobs(words)
        await self._app.to_mode("jobs")
        if not self._app.screen_of(JobsScreen).show_job(words):
            self._app.say(f"there is no job {words!r}", "warning")

    async def _go_to_run(self, words: str) -> None:
        runs = self._app.session.world.runs
        found = next((run for run in runs.values() if words in {run.id, f"#{run.number}", str(run.number)}), None)
        self._app.open_run((found or await self._app.session.live.load_run(words)).id)

    async def _go_to_view(self, name: str) -> None:
        """The first list that has such a view; those of runs come first."""
        from console.screens.audit import AuditScreen
        from console.screens.jobs import JobsScreen

        lists: tuple[tuple[str, type[ListScreen[Any]], Sequence[SavedView]], ...] = (
            ("runs", RunsScreen, RUN_VIEWS),
            ("jobs", JobsScreen, JOB_VIEWS),
            ("audit", AuditScreen, AUDIT_VIEWS),
        )
        for mode, screen, views in lists:
            if any(view.name.startswith(name.lower()) for view in views):
                await self._app.to_mode(mode)
                self._app.screen_of(screen).show_view(name)
                return
        known = ", ".join(dict.fromkeys(view.name for _, _, views in lists for view in views))
        self._app.say(f"there is no view {name!r}; there are {known}", "warning")

    async def _go_to_audit(self, where: str) -> None:
        from console.screens.audit import AuditScreen

        await self._app.to_mode("audit")
        self._filter(self._app.screen_of(AuditScreen), where)

    async def _go_to_ledger(self, words: str) -> None:
        """What became of the due moments of one job."""
        from console.screens.jobs.screen import find_job
        from console.screens.schedule import ScheduleScreen

        await self._app.session.live.find_jobs(words)
        job = find_job(words, list(self._app.session.world.named_jobs.values()))
        if job is None:
            self._app.say(f"there is no job {words!r}", "warning")
            return
        await self._app.to_mode("schedule")
        self._app.screen_of(ScheduleScreen).show_job(job.id, job.name)

    def _filter(self, screen: ListScreen[Any], where: str) -> None:
        screen.show_view("all")
        screen.show_filter(where)
