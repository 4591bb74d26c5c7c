"""Which agent, which screen, and whether what is shown is fresh."""

from __future__ import annotations

from rich.text import Text

from console.render.spans import ago, seconds_to_change
from console.session import ConsoleSession
from console.widgets.line import Line, safe_text

_TABS = (
    ("runs", "Runs"), ("jobs", "Jobs"), ("schedule", "Schedule"), ("workers", "Workers"), ("data", "Data"), ("audit", "Audit"),
)  # fmt: skip

_ROOMY = 60
"""Columns from which there is room for words that could be left out."""


class TopBar(Line):
    """While the line to the agent is down it says so, and how old the data are; while the agent can store nothing, that."""

    DEFAULT_CSS = "TopBar { dock: top; background: $panel; &.-offline { background: $panel; } }"

    def __init__(self, session: ConsoleSession, here: str) -> None:
        super().__init__(id="top")
        self._session = session
        self._here = here

    def on_mount(self) -> None:
        self.refresh_texts()

    def refresh_texts(self) -> float | None:
        """Seconds until it will read differently by time alone."""
        link, now = self._session.world.link, self._session.now()
        self.set_class(not link.online, "-offline")
        right = self._live() if link.online else self._down()
        self.show(self._place(right.cell_len + 1), right)
        if link.online:
            return None
        return seconds_to_change(link.heard_at, now) if link.heard_at else None

    def on_resize(self) -> None:
        self.refresh_texts()

    def _place(self, kept: int) -> Text:
        """`kept` cells are the other part's. Where not all fits, our own name goes, then the titles of other screens,
        then their keys."""
        texts = (
            self._placed(named=True),
            self._placed(),
            self._placed(short=True),
            self._placed(short=True, alone=True),
        )
        return next((text for text in texts if text.cell_len + kept <= self._width), texts[-1])

    @property
    def _width(self) -> int:
        """Before it is laid out, that of the terminal: it is as wide."""
        return self.size.width or self.app.size.width

    def _placed(self, *, named: bool = False, short: bool = False, alone: bool = False) -> Text:
        look, target = self._session.look, self._session.client.target
        text = Text(no_wrap=True)
        text.append("Jobdeck " if named else "", f"bold {look.palette.accent}")
        text.append_text(safe_text(self._agent_name(), f"bold {target.colour or ''}".strip()))
        if self._session.is_production:
            text.append(" PRODUCTION", f"bold {look.palette.bad}")
        for name, title in _TABS:
            is_here = name == self._here
            if alone and not is_here:
                continue
            word = (
                self._session.keymap.sign(name)
                if short and not is_here
                else f"{self._session.keymap.sign(name)} {title}"
            )
            text.append("" if short else " ").append(f" {word} ", "bold reverse" if is_here else look.palette.muted)
        return text

    def _agent_name(self) -> str:
        agent = self._session.agent
        name = self._session.client.target.name
        return f"{name}/{agent.name}" if agent and agent.name not in {"", "jobdeck", name} else name

    def _live(self) -> Text:
        if trouble := self._session.world.trouble:
            words = "DISK FULL" if "disk is full" in trouble else "NOT STORING"
            return Text(f"{words} ", f"bold {self._session.look.palette.bad}").append(
                "nothing new runs ", self._session.look.palette.warning
            )
        return Text("live ", self._session.look.palette.good)

    def _down(self) -> Text:
        link, look = self._session.world.link, self._session.look
        if link.heard_at is None and link.reason == "connecting":
            return Text("connecting… ", look.palette.muted)
        noun = "data " if self._width >= _ROOMY else ""
        age = f"{noun}{ago(link.heard_at, self._session.now())}" if link.heard_at else "no data yet"
        word = "LOCKED OUT " if link.is_refused else "OFFLINE "
        return Text(word, f"bold {look.palette.bad}").append(f"{age} ", look.palette.warning)
