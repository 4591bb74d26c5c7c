"""What every screen is given: the agent, what is known of it, the clock, and the ways on.

    class RunDetail(ConsoleScreen):                      # console/screens/base.py
        def __init__(self, session: ConsoleSession, run_id: str) -> None: ...

Data flow one way: events and pages change `world`, `publish` tells the screens what changed, screens redraw.
Screens act through `client` (requests) and `shell` (other screens, questions, notices); they never change `world`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

from console.client import AgentClient
from console.keymap import Keymap
from console.memory import Memory
from console.model import Changes, World
from console.render.look import Look
from console.settings import Settings
from shared.clock import Clock

if TYPE_CHECKING:
    from console.acting import Acting
    from console.auditing import Auditing
    from console.client.answers import AgentInfo
    from console.live import Live
    from shared.models import Me
    from shared.models.audit import AuditEntry

Tone = Literal["info", "good", "warning", "error"]
Hear = Callable[[Changes], None]


@dataclass(frozen=True, slots=True)
class Question:
    """One docked line, answered by a key; the default answer is no.

    `text` says what would happen, on how many, and what would be lost; `yes` is what the key that agrees does
    (`rerun them`). With `count` the operator types that number instead (production agents).
    """

    text: str
    yes: str
    no: str = "leave it"
    count: int | None = None


class Shell(Protocol):
    """What the app does for its screens."""

    def open_run(self, run_id: str, *, log: bool = False) -> None:
        """Open the run's own screen, with its log in front if asked so."""

    def open_create(self) -> None:
        """Open the wizard that creates a job."""

    def open_edit(self, job_id: str) -> None:
        """Open the job's draft in the wizard's form."""

    def open_why(self, job_id: str) -> None:
        """Say why a job did (not) run."""

    def open_entry(self, entry: AuditEntry) -> None:
        """Open one entry of the audit."""

    def go_to(self, place: str, argument: str = "") -> None:
        """What `:` does: `runs`, `jobs`, `job NAME`, `run ID`, `view NAME`, `audit FILTER`."""

    async def do(self, act: str) -> None:
        """An act that exists everywhere (console/keymap.py)."""

    def back(self) -> None:
        """Leave the screen on top, if it lies on another."""

    def back_to_view(self) -> None:
        """To the view that was shown before this one."""

    def say(self, text: str, tone: Tone = "info") -> None:
        """A line above the footer; it goes with the next one, after a while, or by esc (errors stay until then)."""

    async def ask(self, question: Question) -> bool:
        """True when the operator agrees; the screen goes on meanwhile. A second question answers the first with no."""

    def keys_held(self, *, brief: bool = False, once: bool = False) -> AbstractContextManager[None]:
        """What is typed meanwhile waits (for a second, if `brief`): what is being done decides where it goes.
        `once`: the key that began it is not meant a second time."""

    def copy(self, text: str) -> None:
        """Into the terminal's clipboard, through tmux too."""

    def call_later_by(self, seconds: float, work: Callable[[], None]) -> object:
        """Do it after a while, on the screens' own loop."""

    def refresh_footer(self) -> None:
        """What can be done here has changed."""


@dataclass
class ConsoleSession:
    """One agent, opened. `agent` and `me` are None until the line stood once."""

    client: AgentClient
    world: World
    clock: Clock
    settings: Settings
    look: Look
    keymap: Keymap
    shell: Shell
    memory: Memory = field(default_factory=Memory)
    agent: AgentInfo | None = None
    me: Me | None = None
    skew: timedelta = timedelta(0)
    """The agent's clock less ours: spans are counted by the agent's."""
    _hearers: list[Hear] = field(default_factory=list)

    def now(self) -> datetime:
        """The agent's time, as near as it is known; in UTC."""
        return self.clock.now() + self.skew

    def can(self, scope: str) -> bool:
        """Whether the token allows `read`, `run`, `edit`, `delete`; before it is known, the agent will say."""
        return self.me is None or scope in self.me.scopes

    @cached_property
    def acting(self) -> Acting:
        """Rerun, cancel, run now, pause, undo: asked in proportion, refusals by name."""
        from console.acting import Acting

        return Acting(self)

    @cached_property
    def live(self) -> Live:
        """Follows the agent, and loads more pages into the world."""
        from console.live import Live

        return Live(self, self.shell.call_later_by)

    @cached_property
    def auditing(self) -> Auditing:
        """Reads the record of what was done."""
        from console.auditing import Auditing

        return Auditing(self)

    @property
    def is_production(self) -> bool:
        return self.agent is not None and self.agent.production

    def listen(self, hear: Hear) -> Callable[[], None]:
        """Be told what changes, at most five times a second; call what is returned to be told no more."""
        self._hearers.append(hear)
        return lambda: self._hearers.remove(hear)

    def publish(self, changes: Changes) -> None:
        for hear in tuple(self._hearers):
            hear(changes)
