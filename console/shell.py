"""The console as a Textual app: holds the session, and does for the screens what they ask for.

The first frame is painted before httpx and pydantic are loaded; then the line to the agent is opened in the background.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from textual.binding import BindingsMap
from textual.screen import Screen

from console.client import AgentClient
from console.clipboard import clipboard_sequence
from console.display import DiffApp, quiet
from console.display.typing import KeysInOrder
from console.jumping import Jumping
from console.keymap import Keymap
from console.memory import memory_of
from console.model import Changes, World
from console.options import Options
from console.screens.base import ConsoleScreen
from console.screens.runs import RunsScreen
from console.session import ConsoleSession, Question, Tone
from console.theme import add_themes, choose_glyphs, choose_theme, look_of, use_theme
from shared.clock import Clock, SystemClock
from shared.exits import Exit

if TYPE_CHECKING:
    from console.client.target import Target
    from shared.models.audit import AuditEntry

S = TypeVar("S", bound=Screen[Any])

_MODES: Mapping[str, tuple[str, str]] = {
    "jobs": ("jobs", "JobsScreen"),
    "schedule": ("schedule", "ScheduleScreen"),
    "workers": ("workers", "WorkersScreen"),
    "data": ("data", "DataScreen"),
    "audit": ("audit", "AuditScreen"),
}
"""Beside the runs, which are there from the first frame: the module below console.screens, and the screen in it."""


class Console(KeysInOrder[None], DiffApp[None]):
    """Holds the session, and does for the screens what `Shell` names."""

    ENABLE_COMMAND_PALETTE = False
    DEFAULT_MODE = "runs"
    TITLE = "Jobdeck"
    CSS = """
    Screen { scrollbar-size: 1 1; }
    """

    def __init__(
        self,
        options: Options,
        environ: Mapping[str, str],
        *,
        clock: Clock | None = None,
        client: AgentClient | None = None,
    ) -> None:
        super().__init__()
        quiet(self)
        add_themes(self)
        theme = choose_theme(options.theme, environ)
        use_theme(self, theme)
        self._environ = environ
        clock = clock or SystemClock()
        self.session = ConsoleSession(
            client=client or AgentClient(options.target, clock=clock, user_agent="jobdeck-console"),
            world=World(),
            clock=clock,
            settings=options.settings,
            look=look_of(theme, choose_glyphs(environ)),
            keymap=Keymap(options.settings.keys),
            shell=self,
            memory=memory_of(_profile(options.target), environ),
        )
        self.session.listen(self._hear)
        self._first_view = options.view
        self._mode_before = self.DEFAULT_MODE
        self._reasons: set[str] = set()
        self._fault: Exception | None = None
        self._opening = ExitStack()
        """What is typed before there is a world means what it will be."""
        ours = BindingsMap(self.session.keymap.bindings(["quit"]))
        self._bindings = BindingsMap.from_keys(self._bindings.key_to_bindings | ours.key_to_bindings)

    # The course of things.

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        if not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, lambda: self.run_worker(self.leave()))
        self.call_after_refresh(self._begin)

    def get_default_screen(self) -> Screen[Any]:
        """The screen of the first frame: a mode's own would have the styles read twice."""
        return RunsScreen(self.session, self._first_view)

    async def _begin(self) -> None:
        """The first frame is on its way."""
        gc.freeze()
        gc.enable()
        self._add_modes()
        if self._first_view in _MODES:
            await self.to_mode(self._first_view)
        self._opening.enter_context(self.keys_held(brief=True))
        self.run_worker(self.session.live.run(), name="live", exit_on_error=True)
        if self.session.keymap.faults:
            self.say("; ".join(self.session.keymap.faults), "warning")
        elif self.session.memory.fault:
            self.say(self.session.memory.fault)

    def _hear(self, changes: Changes) -> None:
        self._tell_link()
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen):
                screen.hear(changes)
        if self.session.world.link.reason != "connecting":
            self._opening.close()
        for screen in self._behind():
            screen.miss(changes)

    def _behind(self) -> list[ConsoleScreen]:
        """Screens of the other mode: they catch up when they are shown."""
        stacks = [stack for mode, stack in self._screen_stacks.items() if mode != self.current_mode]
        return [screen for stack in stacks for screen in stack if isinstance(screen, ConsoleScreen)]

    def _all_screens(self) -> list[ConsoleScreen]:
        stacks = self._screen_stacks.values()
        return [screen for stack in stacks for screen in stack if isinstance(screen, ConsoleScreen)]

    def _tell_link(self) -> None:
        """Each reason of an outage once: behind `was cut` may come `the token has expired`."""
        link = self.session.world.link
        if link.online:
            if self._reasons:
                for screen in self._all_screens():
                    screen.dock.forget(self._reasons)
                self.say("the agent answers again", "good")
            self._reasons.clear()
        elif link.reason not in {"connecting", *self._reasons}:
            self._reasons.add(link.reason)
            self.say(link.reason, "warning")

    async def leave(self) -> None:
        """What was asked for is the agent's: nothing is left to send."""
        self.exit()

    async def on_unmount(self) -> None:
        await self.session.client.close()

    def farewell(self) -> int:
        """After the terminal is as it was: what must still be said, and the exit code."""
        if self._fault is not None:
            raise self._fault
        return Exit.OK

    def _fatal_error(self) -> None:
        """No traceback over the terminal: the launcher tells it in a line (JOBDECK_TRACEBACK=1 shows all)."""
        error = sys.exc_info()[1]
        self._fault = error if isinstance(error, Exception) else self._exception_of_app()
        self._close_messages_no_wait()

    def _exception_of_app(self) -> Exception | None:
        return self._exception if isinstance(self._exception, Exception) else None

    # What screens ask for (session.Shell).

    def open_run(self, run_id: str, *, log: bool = False) -> None:
        from console.screens.run_detail import RunDetail

        self.push_screen(RunDetail(self.session, run_id, log=log))

    def open_create(self) -> None:
        from console.screens.create.screen import CreateScreen

        self.push_screen(CreateScreen(self.session))

    def open_edit(self, job_id: str) -> None:
        from console.screens.edit.screen import EditScreen

        self.push_screen(EditScreen(self.session, job_id))

    def open_why(self, job_id: str) -> None:
        from console.screens.jobs import WhyScreen

        self.push_screen(WhyScreen(self.session, job_id))

    def open_entry(self, entry: AuditEntry) -> None:
        from console.screens.audit.entry import EntryScreen

        self.push_screen(EntryScreen(self.session, entry))

    def go_to(self, place: str, argument: str = "") -> None:
        self.run_worker(self._jump(place, argument.strip()))

    async def do(self, act: str) -> None:
        await self.action_act(act)

    def back(self) -> None:
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def back_to_view(self) -> None:
        self.run_worker(self._back_to_mode())

    def say(self, text: str, tone: Tone = "info") -> None:
        if screen := self.top():
            screen.dock.say(text, tone)

    async def ask(self, question: Question) -> bool:
        screen = self.top()
        if screen is None:
            return False
        with self.keys_held():
            asking = await screen.dock.make_ask()
        with self.keys_let():
            return await asking.ask(question)

    def copy(self, text: str) -> None:
        if self._driver is not None and not self.is_headless:
            self._driver.write(clipboard_sequence(text, self._environ))
        self._clipboard = text
        self.say(f"copied: {text}")

    def call_later_by(self, seconds: float, work: Callable[[], None]) -> object:
        return self.set_timer(seconds, work)

    def refresh_footer(self) -> None:
        if screen := self.top():
            screen.refresh_footer()

    # Acts that exist everywhere.

    async def action_act(self, act: str) -> None:
        match act:
            case "runs" | "jobs" | "schedule" | "workers" | "data" | "audit":
                await self.to_mode(act)
            case "catch_up":
                self._open_catch_up()
            case "jump":
                await self._open_palette("job orders · run <id> · view failed · audit user:ada")
            case "palette":
                await self._open_palette("what to do")
            case "help":
                await self._open_help()
            case "undo":
                self.run_worker(self.session.acting.undo())
            case "redraw":
                self.redraw()
                self.session.client.hurry()
            case "suspend":
                self.action_suspend_process()
            case "quit":
                await self.leave()
            case _:
                self.say(f"there is nothing called {act!r}; ? lists what there is", "warning")

    async def action_quit(self) -> None:
        await self.leave()

    def action_help_quit(self) -> None:
        self.say(f"{self.session.keymap.sign('quit')} leaves")

    # What jumps need.

    def top(self) -> ConsoleScreen | None:
        stack = self.screen_stack if self._running else []
        return next((screen for screen in reversed(stack) if isinstance(screen, ConsoleScreen)), None)

    async def to_mode(self, mode: str) -> None:
        self._add_modes()
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        if mode != self.current_mode:
            self._mode_before = self.current_mode
        await self.switch_mode(mode)

    def screen_of(self, kind: type[S]) -> S:
        """The screen of that kind in the mode that is shown."""
        return next(screen for screen in self.screen_stack if isinstance(screen, kind))

    # Helpers.

    async def _jump(self, place: str, argument: str) -> None:
        with self.keys_held():
            await Jumping(self).go(place, argument)

    async def _back_to_mode(self) -> None:
        with self.keys_held():
            await self.to_mode(self._mode_before)

    def _add_modes(self) -> None:
        """Once the first frame is there; a key may come before it."""
        if "runs" not in self._modes:
            self.add_mode("runs", self.get_default_screen)
            for mode, (module, name) in _MODES.items():
                self.add_mode(mode, partial(self._make_screen, module, name))

    def _make_screen(self, module: str, name: str) -> ConsoleScreen:
        screen: ConsoleScreen = getattr(import_module(f"console.screens.{module}"), name)(self.session)
        return screen

    def _open_catch_up(self) -> None:
        from console.screens.catch_up import CatchUpScreen

        if not isinstance(self.screen, CatchUpScreen):
            self.push_screen(CatchUpScreen(self.session))

    async def _open_help(self) -> None:
        from console.screens.help import HelpScreen

        top = self.top()
        if not isinstance(top, HelpScreen):
            await self.push_screen(HelpScreen(self.session, top.NAME if top else ""))

    async def _open_palette(self, placeholder: str) -> None:
        from console.screens.palette import Palette

        top = self.top()
        if top is None or isinstance(self.screen, Palette):
            return
        await self.push_screen(Palette(self.session, top.offers, placeholder), self._obey)

    def _obey(self, command: str | None) -> None:
        if command:
            place, _, argument = command.lstrip(":").partition(" ")
            self.go_to(place, argument)


def _profile(target: Target) -> str:
    """Two agents of one machine are two: a socket is known by its path."""
    return f"{target.name}@{target.socket}" if target.socket else target.name
