"""A job's draft in the wizard's form: kept as it is typed, compared, then published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from console.screens.actions.book import ActionBook
from console.screens.actions.draft import Action
from console.screens.actions.screen import ActionsScreen
from console.screens.base import ConsoleScreen
from console.screens.create.picks import Picks
from console.screens.create.review import ACTIONS, actions_way
from console.screens.create.schedule import ZONE
from console.screens.create.steps import ReviewStep
from console.screens.create.wizard import Wizard
from console.screens.edit.draft import EditedDraft
from console.screens.edit.review import DISCARD, PUBLISH, changes, ways
from console.session import ConsoleSession, Question
from shared.errors import Conflict, Drifted, InvalidInput, JobdeckError

if TYPE_CHECKING:
    from console.client.answers import Comparison, DriverInfo
    from shared.models import Draft, Job


class EditScreen(Wizard):
    """What it does, when, what that changes. Leaving keeps what was typed in the draft; a draft that says what the job
    says is not kept."""

    NAME = "create"
    STEPS = ("what", "when", "review")
    TITLE_TEXT = "Edit the job"
    LAST = "publish"

    def __init__(self, session: ConsoleSession, job_id: str) -> None:
        self._edited = EditedDraft()
        super().__init__(session, self._edited)
        self._job_id = job_id
        self._driver: DriverInfo | None = None
        self._stored: Draft | None = None
        self._compared: Comparison | None = None
        self._has_trial = False
        """What the agent keeps may hold an action that was only tried."""

    # What the wizard asks for.

    def begin(self) -> None:
        self.show_head("one moment…")
        self._open()

    def make_review(self) -> ReviewStep:
        assert self._compared is not None
        look, zone = self.session.look, self.draft.text(ZONE).strip() or "UTC"
        return ReviewStep(changes(self._compared, zone, look), look, ways(self._compared, actions_way(self.draft)))

    def must_be_left(self) -> bool:
        return self._stored is not None

    def leave(self, act: str) -> None:
        self._leave_by(act)

    async def ready_for_review(self) -> bool:
        try:
            await self._keep()
        except JobdeckError as error:
            self.session.shell.say(f"not kept: {error.message}", "error")
            return False
        return True

    def on_picks_picked(self, message: Picks.Picked) -> None:
        message.stop()
        if message.value == PUBLISH:
            self.once(self._publish, ends=True)
        elif message.value == DISCARD:
            self.once(self._discard, ends=True)
        elif message.value == ACTIONS:
            self._open_actions()
        else:
            self._leave_by("")

    # The draft.

    @work(exclusive=True, group="open")
    async def _open(self) -> None:
        with self.session.shell.keys_held():
            await self._ask_for_all()

    async def _ask_for_all(self) -> None:
        client, shell = self.session.client, self.session.shell
        try:
            job = await client.jobs.get(self._job_id)
            stored = await client.drafts.edit(self._job_id)
            drivers = await client.jobs.drivers()
        except JobdeckError as error:
            shell.back()
            shell.say(f"cannot be edited: {error.message}", "error")
            return
        self._driver = next((each for each in drivers if each.type == stored.type), None)
        if self._driver is None:
            shell.back()
            shell.say(f"the agent has no job type {stored.type!r}; edit it by: jobdeck draft edit {job.slug}", "error")
            return
        self._load(stored)
        self.show_step("what")
        self._say_standing(job, stored)

    def _load(self, stored: Draft) -> None:
        assert self._driver is not None
        self._stored, self._has_trial = stored, False
        self._edited.load(stored, self._driver)

    def _say_standing(self, job: Job, stored: Draft) -> None:
        if stored.based_on != job.revision:
            self.session.shell.say(
                f"your draft is of revision {stored.based_on}; the job is at revision {job.revision}", "warning"
            )
        elif stored.version > 1:
            self.session.shell.say("your draft, as you left it; the review can discard it")

    def _open_actions(self) -> None:
        book = ActionBook(self.session, self.draft, self._keep_with)
        self.app.push_screen(ActionsScreen(self.session, book, self._return_from_actions))

    async def _keep_with(self, actions: list[Action]) -> Draft:
        """The draft on the agent with these actions; what was typed of it goes with them."""
        assert self._stored is not None
        self._stored = await self.session.client.drafts.replace(self._stored, self._edited.unfinished(actions))
        self._has_trial = True
        return self._stored

    def _return_from_actions(self) -> None:
        self.once(self._review_again)

    async def _review_again(self) -> None:
        if await self.ready_for_review():
            self.show_step("review")

    async def _keep(self) -> None:
        """Store what was typed, and see what it would change."""
        assert self._stored is not None
        if self._edited.is_touched or self._has_trial:
            self._load(await self.session.client.drafts.replace(self._stored, self._edited.unfinished()))
        self._compared = await self.session.client.drafts.compare(self._stored.id)

    async def _publish(self) -> None:
        assert self._stored is not None
        self.show_head("publishing…")
        try:
            job = await self.session.client.drafts.commit(self._stored.id)
        except InvalidInput as error:
            self.showed(error.faults, "review")
        except Drifted as error:
            await self._take_in(error)
        except Conflict as error:
            self.show_step("what", {"name": error.message})
        except JobdeckError as error:
            self.session.shell.say(f"not published: {error.message}", "error")
        else:
            self.session.shell.back()
            self.session.shell.say(f"{job.name}: revision {job.revision} is published", "good")
            return
        self.show_head()

    async def _take_in(self, drifted: Drifted) -> None:
        """Somebody else was faster: their changes into the draft, if that is agreed to, then the review again."""
        fields = ", ".join(fault.field for fault in drifted.faults)
        question = Question(f"published meanwhile, with another {fields}; take that into your draft?", "take it in")
        if not await self.session.shell.ask(question):
            return
        try:
            await self._rebase()
        except JobdeckError as error:
            self.session.shell.say(error.message, "error")
        else:
            self.show_step("review")

    async def _rebase(self) -> None:
        assert self._stored is not None
        drafts = self.session.client.drafts
        try:
            rebased = await drafts.rebase(self._stored.id)
        except Drifted as drifted:
            fields = ", ".join(fault.field for fault in drifted.faults)
            mine = await self.session.shell.ask(
                Question(f"both changed {fields}; keep yours?", "keep mine", "take theirs")
            )
            rebased = await drafts.rebase(self._stored.id, "mine" if mine else "theirs")
        self._load(rebased)
        self._compared = await drafts.compare(rebased.id)

    async def _discard(self) -> None:
        assert self._stored is not None
        question = Question("discard the draft? The job stays as it is", "discard it", "go on")
        if self._compared and self._compared.fields and not await self.session.shell.ask(question):
            return
        try:
            await self.session.client.drafts.discard(self._stored.id)
        except JobdeckError as error:
            self.session.shell.say(error.message, "error")
            return
        self.session.shell.back()

    @work(exclusive=True, group="leave")
    async def _leave_by(self, act: str) -> None:
        """Nothing that was typed is lost: it is in the draft, unless that cannot hold it."""
        with self.session.shell.keys_held():
            if self._stored is not None and not await self._is_put_away():
                return
            if act:
                await ConsoleScreen.action_act(self, act)
            else:
                self.session.shell.back()
        if self._compared is not None and self._compared.fields:
            self.session.shell.say("kept as your draft")

    async def _is_put_away(self) -> bool:
        assert self._stored is not None
        try:
            await self._keep()
            if self._compared is not None and not self._compared.fields:
                await self.session.client.drafts.discard(self._stored.id)
        except JobdeckError as error:
            question = Question(
                f"cannot be kept ({error.message}); throw away what was typed?", "throw it away", "go on"
            )
            self._compared = None
            return await self.session.shell.ask(question)
        return True
