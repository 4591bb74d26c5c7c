"""Keys in order: each is handed out when all that came of the one before is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from console.display.typing import KeysInOrder
from tests.harness.operator import Operator


class Pad(Widget, can_focus=True):
    """Takes its time: nothing of this process goes on for longer than anybody would wait."""

    def on_key(self, event: events.Key) -> None:
        if event.key == "slash":
            time.sleep(0.6)  # the standstill that is tested: nothing may be decided by how long it lasts


class Slow(Vertical):
    def __init__(self, gate: asyncio.Event) -> None:
        super().__init__()
        self._gate = gate

    async def on_mount(self) -> None:
        await self._gate.wait()


class Further(Screen[None]):
    """Mounted when `gate` is open."""

    BINDINGS = [Binding("x", "app.tell('x')")]
    AUTO_FOCUS = "Input"

    def __init__(self, gate: asyncio.Event) -> None:
        super().__init__()
        self._gate = gate

    def compose(self) -> ComposeResult:
        yield Slow(self._gate)
        yield Input()


class Typed(KeysInOrder[None]):
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [
        Binding("slash", "write"),
        Binding("o", "open"),
        Binding("h", "hold"),
        Binding("a", "hold(True)"),
        Binding("b", "hold(False, True)"),
        Binding("e", "hold(False, False, True)"),
        *(Binding(key, f"tell('{key}')") for key in "xyz"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.gate = asyncio.Event()

    def compose(self) -> ComposeResult:
        yield Vertical(Vertical(Pad()), Input(id="line", disabled=True))

    def on_mount(self) -> None:
        self.query_one(Pad).focus()

    def action_tell(self, key: str) -> None:
        self.told.append(key)

    def action_write(self) -> None:
        line = self.query_one("#line", Input)
        line.disabled = False
        self.screen.set_focus(line)

    def action_open(self) -> None:
        self.push_screen(Further(self.gate))

    def action_hold(self, asks: bool = False, brief: bool = False, once: bool = False) -> None:
        self.run_worker(self._work(asks, brief, once))

    async def _work(self, asks: bool, brief: bool, once: bool) -> None:
        with self.keys_held(brief=brief, once=once):
            if asks:
                with self.keys_let():
                    await self.gate.wait()
            await self.gate.wait()
            self.told.append("done")


@asynccontextmanager
async def typing() -> AsyncIterator[tuple[Operator, Typed]]:
    app = Typed()
    async with app.run_test() as pilot:
        yield Operator(app, pilot), app


async def test_a_process_that_stood_still_mixes_up_nothing() -> None:
    async with typing() as (operator, app):
        await operator.type("/xyxy")
        await operator.until(lambda: app.query_one("#line", Input).value == "xyxy", "all of it is written")
        assert app.told == []


async def test_keys_wait_for_the_screen_that_the_one_before_opened() -> None:
    async with typing() as (operator, app):
        await operator.type("oxy")
        await operator.until(lambda: isinstance(app.screen, Further), "the other screen")
        assert app.told == []
        app.gate.set()
        await operator.until(lambda: app.screen.query_one(Input).value == "xy", "what was typed for it")
        assert app.told == []


async def test_what_is_pasted_keeps_its_place() -> None:
    async with typing() as (operator, app):
        driver = app._driver
        assert driver is not None
        await operator.type("/")
        driver.send_message(events.Paste("pasted"))
        await operator.type("x")
        await operator.until(lambda: app.query_one("#line", Input).value == "pastedx", "in the order of typing")


@pytest.mark.parametrize(("key", "told"), [("h", ["done", "x"]), ("a", ["x", "done"]), ("b", ["x", "done"])])
async def test_who_holds_the_keys_has_them_wait_unless_it_asks_or_takes_long(key: str, told: list[str]) -> None:
    async with typing() as (operator, app):
        await operator.type(f"{key}x")
        if told[0] == "x":
            await operator.until(lambda: app.told == ["x"], "the answer is let through")
        app.gate.set()
        await operator.until(lambda: app.told == told, "both")


async def test_who_wants_out_is_not_held() -> None:
    async with typing() as (operator, app):
        await operator.type("hx\x11")
        await operator.until(lambda: not app.is_running, "it is left")
        assert app.told == []


async def test_the_key_that_began_what_is_done_once_means_nothing_after_it() -> None:
    async with typing() as (operator, app):
        await operator.type("eexee")
        app.gate.set()
        await operator.until(lambda: app.told == ["done", "x", "done"], "it, what came after it, and it again")
