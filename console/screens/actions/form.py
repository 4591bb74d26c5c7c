"""One action in a form: its type first, where it is a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from rich.text import Text
from textual import work
from textual.containers import Container
from textual.widget import Widget

from console.screens.actions.book import ActionBook
from console.screens.actions.draft import ActionDraft
from console.screens.actions.fields import in_order, label
from console.screens.base import ConsoleScreen
from console.screens.create.fields import place_of
from console.screens.create.form import Form
from console.screens.create.offering import Offering
from console.screens.create.picks import Picks
from console.screens.create.steps import TemplateStep
from console.session import ConsoleSession, Question
from console.widgets.footer import Offer
from console.widgets.line import Line, safe_text
from shared.errors import Fault, InvalidInput, JobdeckError


class ActionScreen(ConsoleScreen):
    """The action at `place` of the book, or a new one behind the last. `kept` is called with the place."""

    NAME = "action"
    ACTS = ("go_on", "preview")
    AUTO_FOCUS = ""
    DEFAULT_CSS = "ActionScreen #step { height: 1fr; }"

    def __init__(self, session: ConsoleSession, book: ActionBook, place: int, kept: Callable[[int], None]) -> None:
        super().__init__(session)
        self._book = book
        self._place = place
        self._kept = kept
        self._is_new = place >= len(book.actions)
        self._offering = Offering(session.client)
        self._head = Line()
        self.draft: ActionDraft | None = None
        self.form: Form | None = None

    def compose_body(self) -> Iterable[Widget]:
        yield self._head
        yield Container(id="step")

    def on_mount(self) -> None:
        """Beside that of the base class, which Textual calls too."""
        self._open()

    def offers(self) -> Sequence[Offer]:
        if self.form is None:
            return (Offer("go_on", "next: what"), Offer("back"))
        return (Offer("go_on", "keep it"), Offer("preview"), Offer("back"))

    def act_go_on(self) -> None:
        if self.form is not None:
            self._keep()
        elif steps := self.query(TemplateStep):
            steps.first().picks.action_pick()

    def act_preview(self) -> None:
        self._try_out()

    def act_back(self) -> None:
        self._take_texts()
        if self.dock.hush():
            return
        if self.draft is not None and self.draft.is_touched:
            self._leave()
        else:
            self.session.shell.back()

    # What the operator does.

    def on_picks_picked(self, message: Picks.Picked) -> None:
        message.stop()
        self._choose(message.value)

    def on_form_changed(self, message: Form.Changed) -> None:
        message.stop()
        if self.draft is not None:
            self.draft.texts[message.field.key] = message.text

    def on_form_entered(self, message: Form.Entered) -> None:
        message.stop()
        self._offer(message)

    def on_form_done(self, message: Form.Done) -> None:
        message.stop()
        self.act_go_on()

    # Helpers.

    @work(exclusive=True, group="step")
    async def _open(self) -> None:
        with self.session.shell.keys_held():
            await self._show_step()

    async def _show_step(self) -> None:
        self._show_head("a new action" if self._is_new else label(self._book.actions[self._place]))
        try:
            drivers = await self._book.drivers()
        except JobdeckError as error:
            self.session.shell.say(error.message, "error")
            return
        if not self._is_new:
            await self._show_form(self._book.actions[self._place])
            return
        step = TemplateStep(self.session.look, "action type", "action_types")
        await self.query_one("#step", Container).mount(step)
        step.show(in_order(list(drivers.values())))
        step.picks.focus()
        self.refresh_footer()

    @work(exclusive=True, group="step")
    async def _choose(self, action_type: str) -> None:
        with self.session.shell.keys_held():
            await self._show_form(self._book.new(action_type))

    async def _show_form(self, action: Mapping[str, object]) -> None:
        driver = (await self._book.drivers()).get(str(action["type"]))
        if driver is None:
            self.session.shell.back()
            self.session.shell.say(f"the agent has no action type {action['type']!r}; it stays as it is", "error")
            return
        self.draft = ActionDraft(driver, action, self._book.actions[: self._place])
        self.form = Form(self.draft.fields, self.draft.texts, self.session.look)
        place = self.query_one("#step", Container)
        await place.remove_children()
        await place.mount(self.form)
        self._show_head(f"{driver.title or driver.type}, {'new' if self._is_new else label(action)}")
        self.form.focus_field()
        self.refresh_footer()

    def _show_head(self, text: str) -> None:
        head = Text(f" Action {self._place + 1}  ", "bold", no_wrap=True)
        self._head.show(head.append_text(safe_text(text, self.session.look.palette.muted)))

    def _take_texts(self) -> None:
        if self.draft is not None and self.form is not None:
            self.draft.texts |= self.form.texts

    @work(exclusive=True, group="offer")
    async def _offer(self, entered: Form.Entered) -> None:
        if self.form is None or self.draft is None:
            return
        self._take_texts()
        try:
            options, said = await self._offering.options(entered.field, self.draft)
        except JobdeckError as error:
            options, said = (), error.message
        self.form.offer(entered.field, options, said)

    @work(exclusive=True, group="go")
    async def _keep(self) -> None:
        """Into the book, unless the agent finds something wrong with it."""
        with self.session.shell.keys_held():
            await self._put_into_book()

    async def _put_into_book(self) -> None:
        assert self.draft is not None
        self._take_texts()
        try:
            action = self.draft.action()
            faults: Sequence[Fault] = await self._book.faults(self._place, action)
        except InvalidInput as error:
            faults = error.faults
        except JobdeckError as error:
            self.session.shell.say(error.message, "error")
            return
        if faults:
            self._show_faults(faults)
            return
        self._book.put(self._place, action)
        self.session.shell.back()
        self._kept(self._place)

    @work(exclusive=True, group="go")
    async def _try_out(self) -> None:
        from console.screens.actions.trial import TrialScreen

        if self.draft is None:
            return
        self._take_texts()
        try:
            action = self.draft.action()
        except InvalidInput as error:
            self._show_faults(error.faults)
            return
        self.app.push_screen(TrialScreen(self.session, self._book, self._place, action))

    def _show_faults(self, faults: Sequence[Fault]) -> None:
        """At their fields; those of none are told."""
        assert self.form is not None
        assert self.draft is not None
        by_field: dict[str, str] = {}
        for fault in faults:
            field = place_of(fault.field, self.draft.fields)
            if field is None:
                self.session.shell.say(f"{fault.field or 'the action'}: {fault.message}", "error")
            else:
                by_field.setdefault(field.key, fault.message)
        self.form.show_faults(by_field)

    @work(exclusive=True, group="leave")
    async def _leave(self) -> None:
        if await self.session.shell.ask(
            Question("throw away what was typed of this action?", "throw it away", "go on")
        ):
            self.session.shell.back()
