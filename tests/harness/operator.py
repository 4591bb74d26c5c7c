"""An operator at the console, without a terminal: presses keys, and waits until the screen reads what it should.

async with operating(agent.socket, size=(80, 24)) as operator:
    await operator.reads("live")
    await operator.press("c")
    await operator.type("orders")
    operator.text                     # the screen as text
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.app import App
from textual.pilot import Pilot

from console.client.target import Target
from console.options import Options
from console.settings import Settings
from console.shell import Console
from shared.clock import Clock
from tests.harness.telling import PATIENCE, tell_state
from tests.harness.typing import type_text

_STILL = 15
"""So many looks in a row at the same screen, and it stands."""


class Operator:
    def __init__(self, app: App[None], pilot: Pilot[None]) -> None:
        self.app = app
        self._pilot = pilot

    @property
    def rows(self) -> list[str]:
        strips = self.app.screen._compositor.render_strips()
        return [strip.text.rstrip() for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def type(self, text: str) -> None:
        await type_text(self._pilot, text)

    async def reads(self, *texts: str) -> None:
        """Wait until all of them are on the screen."""
        await self.until(lambda: _has(self.text, texts), " and ".join(map(repr, texts)))

    async def reads_no(self, text: str) -> None:
        await self.until(lambda: text not in self.text, f"no {text!r}")

    async def stands(self) -> str:
        """The screen, once a while has passed in which nothing on it moved."""
        seen, still = self.text, 0
        while still < _STILL:
            await self._pilot.pause(0.02)
            still = still + 1 if self.text == seen else 0
            seen = self.text
        return seen

    async def until(self, holds: Callable[[], bool], what: str = "the condition") -> None:
        over = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < over, f"not reached: {what}; screen:\n{self.text}\n{tell_state()}"
            await asyncio.sleep(0.02)


def _has(screen: str, texts: tuple[str, ...]) -> bool:
    return all(text in screen for text in texts)


@asynccontextmanager
async def operating(
    socket: Path, size: tuple[int, int] = (80, 24), clock: Clock | None = None
) -> AsyncIterator[Operator]:
    """A console on the agent at `socket`."""
    options = Options(Settings(), Target("local", "http://localhost", socket=socket), "dark", "all")
    app = Console(options, {"LANG": "C.UTF-8"}, clock=clock)
    async with app.run_test(size=size) as pilot:
        yield Operator(app, pilot)
