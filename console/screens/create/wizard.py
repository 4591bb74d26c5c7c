"""A job in steps, to be made or to be edited: goes from one to the next, asks the agent, keeps what was typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.containers import Container
from textual.timer import Timer
from textual.widget import Widget

from console.screens.base import ConsoleScreen
from console.screens.create.draft import Draft
from console.screens.create.fields import place_of
from console.screens.create.form import Form
from console.screens.create.offering import Offering
from console.screens.create.preview import ask_fires, by_hand
from console.screens.create.schema import BASE
from console.screens.create.steps import ReviewStep, Step, StepName, TemplateStep, WhatStep, WhenStep
from console.session import ConsoleSession, Question
from console.widgets.footer import Offer
from console.widgets.line import Line
from shared.errors import Fault, InvalidInput, JobdeckError

_WIDE = 120
_TYPING_PAUSE = 0.25
"""Seconds after the last key until the agent is asked."""
_LEAVING = frozenset({"runs", "jobs", "schedule", "workers", "data", "audit", "catch_up", "jump", "quit"})
_NEXT: Mapping[StepName, str] = {"template": "next: what", "what": "next: when", "when": "next: review"}


class Wizard(ConsoleScreen):
    """What it does, when, review; what was typed stays. A subclass gives:

    - `STEPS` in their order, `TITLE_TEXT`, and `LAST`, what the last step does;
    - `begin()`: shows the first step; `make_review()`; `on_picks_picked` for what is picked there;
    - `leave(act)`: what becomes of what was typed when the operator goes (`act` empty: esc at the first step).
    - `ready_for_review()`: last word before the review is shown, when nothing is wrong.
    """

    ACTS = ("go_on",)
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]
    STEPS: ClassVar[tuple[StepName, ...]]
    TITLE_TEXT: ClassVar[str]
    LAST: ClassVar[str]

    DEFAULT_CSS = """
    Wizard #step { height: 1fr; }
    Wizard.-wide WhenStep { layout: horizontal; }
    Wizard.-wide WhenStep Panel { width: 45%; height: 1fr; }
    """

    def __init__(self, session: ConsoleSession, draft: Draft) -> None:
        super().__init__(session)
        self.draft = draft
        self.step: StepName = self.STEPS[0]
        self.fires: list[Text] = by_hand(session.look)
        self._offering = Offering(session.client)
        self._head = Line()
        self._typing: Timer | None = None
        self._is_busy = False

    # What a subclass gives.

    def begin(self) -> None:
        raise NotImplementedError

    def make_review(self) -> ReviewStep:
        raise NotImplementedError

    def leave(self, act: str) -> None:
        raise NotImplementedError

    def must_be_left(self) -> bool:
        """Whether going elsewhere is for `leave` to do."""
        return self.draft.is_touched

    async def ready_for_review(self) -> bool:
        return True

    # What the base class asks for.

    def compose_body(self) -> Iterable[Widget]:
        yield self._head
        yield Container(id="step")

    def on_mount(self) -> None:
        super().on_mount()
        self.begin()

    def offers(self) -> Sequence[Offer]:
        return [Offer("go_on", _NEXT.get(self.step, self.LAST)), Offer("back")]

    async def action_act(self, act: str) -> None:
        """Nothing that was typed is lost without a question."""
        self.take_texts()
        if act in _LEAVING and self.must_be_left():
            self.leave(act)
        else:
            await super().action_act(act)

    def act_back(self) -> None:
        self.take_texts()
        if self.dock.hush():
            return
        if self.step != self.STEPS[0]:
            self.show_step(self.STEPS[self.STEPS.index(self.step) - 1])
        else:
            self.leave("")

    def act_go_on(self) -> None:
        self.take_texts()
        match self.here():
            case TemplateStep() as step:
                step.picks.action_pick()
            case WhatStep():
                self.once(self._leave_what)
            case WhenStep():
                self.once(self._leave_when)
            case ReviewStep() as step:
                step.ways.action_pick()

    def once(self, doing: Callable[[], Awaitable[None]], *, ends: bool = False) -> None:
        """Begin what asks the agent to keep or to change something. Pressed again meanwhile, it is neither begun a second
        time nor cut off: the agent may have done it already. `ends`: the wizard with it, and the same key means nothing
        that comes after."""
        if not self._is_busy:
            self._is_busy = True
            self.run_worker(self._to_its_end(doing, ends=ends))

    async def _to_its_end(self, doing: Callable[[], Awaitable[None]], *, ends: bool) -> None:
        try:
            with self.session.shell.keys_held(once=ends):
                await doing()
        finally:
            self._is_busy = False

    # What the operator does in the forms.

    def on_form_changed(self, message: Form.Changed) -> None:
        message.stop()
        self.draft.texts[message.field.key] = message.text
        if self.step == "when":
            self._preview_soon()

    def on_form_entered(self, message: Form.Entered) -> None:
        message.stop()
        self._offer(message)

    def on_form_done(self, message: Form.Done) -> None:
        message.stop()
        self.act_go_on()

    # Steps.

    def show_step(self, name: StepName, faults: Mapping[str, str] | None = None) -> None:
        self.step = name
        self.show_head()
        self.refresh_footer()
        self._mount_step(self._make_step(name), faults or {})

    def show_template(self, step: TemplateStep) -> None:
        """Fill the step of those that begin with it."""

    @work(exclusive=True, group="step")
    async def _mount_step(self, step: Step, faults: Mapping[str, str]) -> None:
        place = self.query_one("#step", Container)
        with self.session.shell.keys_held():
            await place.remove_children()
            await place.mount(step)
            self._enter_step(step, faults)

    def _enter_step(self, step: Step, faults: Mapping[str, str]) -> None:
        match step:
            case TemplateStep():
                self.show_template(step)
                step.picks.focus()
            case WhatStep() | WhenStep():
                if not step.form.show_faults(faults):
                    step.form.focus_field()
                if isinstance(step, WhenStep):
                    self._preview()
            case ReviewStep():
                step.ways.focus()

    def _make_step(self, name: StepName) -> Step:
        look = self.session.look
        match name:
            case "template":
                return TemplateStep(look)
            case "what":
                return WhatStep(self.draft, look)
            case "when":
                return WhenStep(self.draft, look)
        return self.make_review()

    def here(self) -> Widget | None:
        return next(iter(self.query_one("#step", Container).children), None)

    def _form(self) -> Form | None:
        here = self.here()
        return here.form if isinstance(here, WhatStep | WhenStep) else None

    def take_texts(self) -> None:
        form = self._form()
        if form is not None:
            self.draft.texts |= form.texts

    def show_head(self, said: str = "") -> None:
        palette = self.session.look.palette
        head = Text(f" {self.TITLE_TEXT}  ", "bold", no_wrap=True)
        for number, name in enumerate(self.STEPS, 1):
            head.append(f" {number} {name} ", "bold reverse" if name == self.step else palette.muted)
        self._head.show(head, Text(f"{said} ", palette.muted))

    # What.

    @work(exclusive=True, group="offer")
    async def _offer(self, entered: Form.Entered) -> None:
        form = self._form()
        if form is None:
            return
        self.take_texts()
        try:
            options, said = await self._offering.options(entered.field, self.draft)
        except JobdeckError as error:
            options, said = (), error.message
        form.offer(entered.field, options, said)

    async def _leave_what(self) -> None:
        try:
            missing = await self._missing_base()
        except JobdeckError as error:
            self.session.shell.say(error.message, "error")
            return
        # What else is wrong comes first: nothing is made for a job that cannot be.
        if await self._stopped_by_faults("what", but=BASE if missing else None):
            return
        if not missing or (await self._made_base(missing) and not await self._stopped_by_faults("what")):
            self.show_step("when")

    async def _missing_base(self) -> str | None:
        """The knowledge base that is named and not there."""
        name = self.draft.text(BASE).strip()
        if not name or all(field.key != BASE for field in self.draft.what) or await self._offering.knows_base(name):
            return None
        return name

    async def _made_base(self, name: str) -> bool:
        """If that is agreed to."""
        if not await self.session.shell.ask(Question(f"there is no knowledge base {name!r}; make it?", "make it")):
            return False
        from shared.models import KnowledgeBaseInput

        try:
            await self.session.client.world.create_knowledge_base(KnowledgeBaseInput(name=name))
        except InvalidInput as error:
            self._show_faults("what", {BASE: error.faults[0].message})
            return False
        except JobdeckError as error:
            self.session.shell.say(error.message, "error")
            return False
        return True

    # When.

    def _preview_soon(self) -> None:
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(_TYPING_PAUSE, self._preview_now)

    def _preview_now(self) -> None:
        self._preview()

    @work(exclusive=True, group="preview")
    async def _preview(self) -> None:
        await self._foresee()

    async def _foresee(self) -> None:
        faults: dict[str, str] = {}
        try:
            session = self.session
            self.fires = await ask_fires(
                self.draft, session.client, session.now(), session.look, self._width_of_fires()
            )
        except InvalidInput as error:
            faults = self._by_field(error.faults)
            self.fires = [Text("no moment: see what is wrong", self.session.look.palette.bad)]
        except JobdeckError as error:
            self.fires = [Text(error.message, self.session.look.palette.bad)]
        here = self.here()
        if isinstance(here, WhenStep):
            here.fires.show(self.fires)
            here.form.mark_faults(faults)

    def _width_of_fires(self) -> int:
        here = self.here()
        return here.fires.size.width - 2 if isinstance(here, WhenStep) else self.size.width

    async def _leave_when(self) -> None:
        if not await self._stopped_by_faults("when") and await self.ready_for_review():
            self.workers.cancel_group(self, "preview")
            await self._foresee()  # of what was typed last
            self.show_step("review")

    # Checking.

    async def _stopped_by_faults(self, step: StepName, but: str | None = None) -> bool:
        """Ask the agent, and show what is wrong: at its field where it is in this step or an earlier one. `but`: the key of
        a field that is looked at later."""
        self.show_head("checking…")
        try:
            faults = await self._faults()
        except JobdeckError as error:
            self.session.shell.say(error.message, "error")
            return True
        finally:
            self.show_head()
        return self.showed([fault for fault in faults if but is None or not self._is_at(fault, but)], step)

    def _is_at(self, fault: Fault, key: str) -> bool:
        field = place_of(fault.field, self.draft.fields)
        return field is not None and field.key == key

    async def _faults(self) -> Sequence[Fault]:
        try:
            definition = self.draft.definition()
        except InvalidInput as error:
            return error.faults
        check = await self.session.client.jobs.check(definition)
        return [Fault(each.field, each.message, each.value) for each in check.faults]

    def showed(self, faults: Sequence[Fault], step: StepName) -> bool:
        """True when one of them keeps us from leaving `step`."""
        by_field = self._by_field(faults)
        what = {field.key for field in self.draft.what}
        if not what.isdisjoint(by_field):
            self._show_faults("what", by_field)
        elif by_field and step != "what":
            self._show_faults("when", by_field)
        else:
            lost = [fault for fault in faults if place_of(fault.field, self.draft.fields) is None]
            for fault in lost:
                self.session.shell.say(f"{fault.field}: {fault.message}", "error")
            return bool(lost)
        return True

    def _show_faults(self, step: StepName, faults: Mapping[str, str]) -> None:
        form = self._form()
        if self.step == step and form is not None:
            form.show_faults(faults)
        else:
            self.show_step(step, faults)

    def _by_field(self, faults: Sequence[Fault]) -> dict[str, str]:
        """All that is wrong with a field in one line; of what stands inside of its value, with its place there."""
        found: dict[str, list[str]] = {}
        for fault in faults:
            field = place_of(fault.field, self.draft.fields)
            if field is not None:
                inside = fault.field[len(field.key) + 1 :]
                found.setdefault(field.key, []).append(f"{inside}: {fault.message}" if inside else fault.message)
        return {key: "; ".join(messages) for key, messages in found.items()}
