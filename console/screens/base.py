"""What all screens have in common: bars, footer, acts by id, and when to look again."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingsMap
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from console.model import Changes
from console.session import ConsoleSession
from console.widgets.dock import Dock
from console.widgets.footer import Offer
from console.widgets.top_bar import TopBar
from shared.errors import JobdeckError

EVERYWHERE = (
    "runs", "jobs", "schedule", "workers", "data", "audit", "catch_up", "jump", "back", "undo", "help", "palette",
    "redraw", "suspend", "quit",
)  # fmt: skip
_LONGEST_REST = 3600.0


class ConsoleScreen(Screen[None]):
    """A screen of the console. A subclass gives:

    - `NAME` (as in keymap.Where) and `ACTS`, ids of console/keymap.py that exist on it beside those everywhere;
      for each a method `act_<id>(self)`, plain or async, called only while `offers()` has the act.
    - `compose_body()`: its widgets, between the top bar and the docked lines.
    - `offers()`: what is possible here and now, and on how many, best first; the footer shows it.
      After anything that changes the answer call `refresh_footer()`.
    - `take(changes)`: redraw what changed; called at most five times a second, also while another screen is on top.
    - `look_again(now)`: redraw texts that depend on the time, and return the seconds until the next will change
      (None: not by time alone). Nothing ticks otherwise: an idle screen sends nothing.
    """

    NAME: ClassVar[str] = ""
    ACTS: ClassVar[tuple[str, ...]] = ()
    AUTO_FOCUS = "VirtualTable"
    ESCAPE_TO_MINIMIZE = False

    DEFAULT_CSS = """
    ConsoleScreen { layout: vertical; background: $background; }
    """

    def __init__(self, session: ConsoleSession) -> None:
        super().__init__()
        self.session = session
        self.dock = Dock(session)
        ours = BindingsMap(session.keymap.bindings([*self.ACTS, *EVERYWHERE]))
        self._bindings = BindingsMap.from_keys(self._bindings.key_to_bindings | ours.key_to_bindings)
        self._timer: Timer | None = None
        self._missed: Changes | None = None

    # What a screen is.

    def compose_body(self) -> Iterable[Widget]:
        """What stands between the top bar and the dock. Every screen says its own; Textual's metaclass leaves no room
        for an abstract method."""
        raise NotImplementedError

    def offers(self) -> Sequence[Offer]:
        return ()

    def take(self, changes: Changes) -> None:
        """Most screens redraw what `changes` names."""

    def look_again(self, now: object) -> float | None:  # noqa: ARG002  (subclasses use it)
        return None

    def act_back(self) -> None:
        """esc: one step back; lists override it to clear first."""
        self.session.shell.back()

    # What it does of itself.

    def compose(self) -> ComposeResult:
        yield TopBar(self.session, self.NAME)
        yield from self.compose_body()
        yield self.dock

    def on_mount(self) -> None:
        self._catch_up()

    def hear(self, changes: Changes) -> None:
        """The world moved on; perhaps before the first frame of this screen is made."""
        if not self.query(TopBar):
            self.miss(changes)
            return
        self.query_one(TopBar).refresh_texts()
        self.take(changes)
        self.refresh_footer()
        self.schedule_look()

    def miss(self, changes: Changes) -> None:
        """The world moved on while another mode was shown: catch up later."""
        if self._missed is None:
            self._missed = Changes()
        self._missed.merge(changes)

    def on_screen_resume(self) -> None:
        if self.query(TopBar):
            self._catch_up()

    def _catch_up(self) -> None:
        missed, self._missed = self._missed, None
        if missed is not None:
            self.take(missed)
        self.schedule_look()
        self.refresh_footer()

    def on_screen_suspend(self) -> None:
        self._stop_timer()

    def refresh_footer(self) -> None:
        self.dock.show_offers(self.offers())

    def schedule_look(self) -> None:
        """Look at the clock's texts now, and again when the first of them will read differently."""
        self._stop_timer()
        if not self.is_attached or not self.query(TopBar):
            return
        now = self.session.now()
        waits = [self.look_again(now), self.query_one(TopBar).refresh_texts(), self.dock.show_leaving(now)]
        due = [wait for wait in waits if wait is not None]
        if due:
            self._timer = self.set_timer(min(max(min(due), 0.05), _LONGEST_REST), self.schedule_look)

    async def action_act(self, act: str) -> None:
        """A key, the palette and the help all come here."""
        method = getattr(self, f"act_{act}", None)
        if method is None:
            await self.session.shell.do(act)
            return
        if act in self.ACTS and all(offer.act != act for offer in self.offers()):
            self.session.shell.say(self._why_not(act), "warning")
            return
        self.before_act(act)
        result = method()
        if inspect.isawaitable(result):
            self.run_worker(self._try(result))

    def before_act(self, act: str) -> None:
        """Something is about to be done with what is on the screen."""

    def _why_not(self, act: str) -> str:
        from console.keymap import ACTS

        scope, me = ACTS[act].scope, self.session.me
        if scope and me is not None and not self.session.can(scope):
            return f"not allowed: to {ACTS[act].word} needs the scope {scope}; yours: {', '.join(me.scopes) or 'none'}"
        return f"nothing here to {ACTS[act].word}"

    async def _try(self, work: Awaitable[None]) -> None:
        """A refusal is told, not raised."""
        try:
            await work
        except JobdeckError as error:
            self.session.shell.say(error.message, "error")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
