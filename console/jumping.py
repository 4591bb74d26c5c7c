"""Where `:` leads: `job NAME`, `run ID`, `view NAME`, `audit FILTER`, and every act by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.screens.runs import RunsScreen
from console.screens.views import RUN_VIEWS
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
            case _ if (top := self._app.top()) is not None:
                await top.action_act(place)

    async def _go_to_job(self, words: str) -> None:
        from console.screens.jobs import JobsScreen

        await self._app.to_mode("jobs")
        if not self._app.screen_of(JobsScreen).show_job(words):
            self._app.say(f"there is no job {words!r} among those that are loaded; / searches all", "warning")

    async def _go_to_run(self, words: str) -> None:
        runs = self._app.session.world.runs
        found = next((run for run in runs.values() if words in {run.id, f"#{run.number}", str(run.number)}), None)
        if found is None:
            await self._app.session.live.load_run(words)
        self._app.open_run(found.id if found else words)

    async def _go_to_view(self, name: str) -> None:
        from console.screens.jobs import JobsScreen

        is_of_runs = any(view.name.startswith(name.lower()) for view in RUN_VIEWS)
        await self._app.to_mode("runs" if is_of_runs else "jobs")
        screen = self._app.screen_of(RunsScreen) if is_of_runs else self._app.screen_of(JobsScreen)
        if not screen.show_view(name):
            self._app.say(
                f"there is no view {name!r}; there are {', '.join(view.name for view in RUN_VIEWS)}", "warning"
            )

    async def _go_to_audit(self, where: str) -> None:
        from console.screens.audit import AuditScreen

        await self._app.to_mode("audit")
        self._filter(self._app.screen_of(AuditScreen), where)

    def _filter(self, screen: ListScreen[Any], where: str) -> None:
        screen.show_view("all")
        screen.show_filter(where)
