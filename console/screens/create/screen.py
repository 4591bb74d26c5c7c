"""The wizard that makes a job from a template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import work

from console.model import Changes
from console.screens.actions.book import ActionBook
from console.screens.actions.screen import ActionsScreen
from console.screens.base import ConsoleScreen
from console.screens.create.draft import Draft
from console.screens.create.picks import Picks
from console.screens.create.review import ACTIONS, CREATE_AND_RUN, review, ways
from console.screens.create.steps import STEPS, ReviewStep, TemplateStep, in_order
from console.screens.create.wizard import Wizard
from console.session import ConsoleSession, Question
from shared.errors import Conflict, InvalidInput, JobdeckError

if TYPE_CHECKING:
    from console.client.answers import DriverInfo
    from shared.models import Job


class CreateScreen(Wizard):
    """Template, what it does, when, review. What was typed stays until the job is made or its loss is agreed to."""

    NAME = "create"
    STEPS = STEPS
    TITLE_TEXT = "Create a job"
    LAST = "create"

    def __init__(self, session: ConsoleSession) -> None:
        super().__init__(session, Draft())
        self._drivers: Sequence[DriverInfo] = ()
        self._made: Job | None = None

    # What the wizard asks for.

    def begin(self) -> None:
        self.show_step("template")
        self._load_drivers()

    def make_review(self) -> ReviewStep:
        look = self.session.look
        return ReviewStep(review(self.draft, self.fires, look), look, ways(self.draft))

    def take(self, changes: Changes) -> None:  # noqa: ARG002  (the world itself says it)
        if self._made is not None and self._made.id in self.session.world.jobs:
            made, self._made = self._made, None
            self.session.shell.go_to("job", made.slug)
        elif not self._drivers and self.session.world.link.online:
            self._load_drivers()

    def on_picks_picked(self, message: Picks.Picked) -> None:
        message.stop()
        if message.picks.id == "templates":
            self._choose(message.value)
        elif message.value == ACTIONS:
            self._open_actions()
        elif message.picks.id == "ways" and self._made is None:  # made already: it is about to be shown
            run = message.value == CREATE_AND_RUN
            self.once(lambda: self._create(run=run), ends=True)

    def leave(self, act: str) -> None:
        if self.draft.is_touched:
            self._leave_by(act)
        else:
            self.session.shell.back()

    # Template.

    @work(exclusive=True, group="drivers")
    async def _load_drivers(self) -> None:
        with self.session.shell.keys_held(brief=True):
            try:
                drivers = await self.session.client.jobs.drivers()
            except JobdeckError as error:
                self.session.shell.say(error.message, "error")
                return
            self._drivers = in_order(drivers)
            here = self.here()
            if isinstance(here, TemplateStep):
                self.show_template(here)

    def show_template(self, step: TemplateStep) -> None:
        chosen = self.draft.driver.type if self.draft.driver else ""
        step.show(self._drivers, chosen)

    def _choose(self, driver_type: str) -> None:
        driver = next(each for each in self._drivers if each.type == driver_type)
        self.draft.choose(driver)
        self.show_step("what")

    def _open_actions(self) -> None:
        book = ActionBook(self.session, self.draft)
        self.app.push_screen(ActionsScreen(self.session, book, lambda: self.show_step("review")))

    # Making.

    async def _create(self, *, run: bool) -> None:
        self.show_head("creating…")
        try:
            job = await self.session.client.jobs.create(self.draft.definition())
        except InvalidInput as error:
            self.showed(error.faults, "review")
        except Conflict as error:
            self.show_step("what", {"name": error.message})
        except JobdeckError as error:
            self.session.shell.say(f"not created: {error.message}", "error")
        else:
            self.draft = Draft()
            await self._go_to_new(job, run=run)
            return
        self.show_head()

    async def _go_to_new(self, job: Job, *, run: bool) -> None:
        """To its run, or to the list once it is there."""
        if run:
            try:
                started = await self.session.client.jobs.run(job.id)
            except JobdeckError as error:
                self.session.shell.say(f"{job.name} is created, but not run: {error.message}", "error")
            else:
                self.session.shell.back()
                self.session.shell.open_run(started.id)
                return
        self._made = job
        self.show_head(f"{job.name} is created")
        self.take(Changes())

    @work(exclusive=True, group="leave")
    async def _leave_by(self, act: str) -> None:
        with self.session.shell.keys_held():
            if not await self.session.shell.ask(
                Question("throw away the job that is not created yet?", "throw it away", "go on")
            ):
                return
            self.draft = Draft()
            if act:
                await ConsoleScreen.action_act(self, act)
            else:
                self.session.shell.back()
