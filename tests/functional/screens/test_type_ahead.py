"""Keys typed ahead of what they are meant for: nothing is lost, and nothing is done that was not meant."""

from __future__ import annotations

import pytest
from textual import events
from textual.pilot import Pilot

from shared.states import RunState
from tests.functional.screens.test_runs import lines, opened, screen
from tests.harness.console import console_on, run_id, text_of, until
from tests.harness.stand_in import StandIn
from tests.harness.typing import type_text


def place(pilot: Pilot[None]) -> str:
    """The screen's name; the palette has none."""
    return str(getattr(screen(pilot), "NAME", ""))


@pytest.mark.parametrize("key", ["2", "3", "4", "5", "a"])
async def test_a_filter_on_a_list_that_is_yet_to_open(agent: StandIn, key: str) -> None:
    async with opened(agent) as pilot:
        await type_text(pilot, f"{key}/xq\r")
        await until(pilot, lambda: place(pilot) not in {"runs", ""} and screen(pilot).filter_text == "xq")
        await until(pilot, lambda: screen(pilot).focused is screen(pilot).table)
        assert pilot.app.is_running, "q was no act"


async def test_keys_before_the_first_frame_are_for_what_comes(agent: StandIn) -> None:
    app = console_on(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await type_text(pilot, "/orders-export\r")
        await until(pilot, lambda: lines(pilot)[1].rstrip().endswith("/orders-export"))


async def test_a_question_is_answered_before_it_is_shown(agent: StandIn) -> None:
    async with opened(agent, view="active") as pilot:
        await until(pilot, lambda: screen(pilot).table.cursor_id is not None)
        await pilot.press("G", "g")
        chosen = screen(pilot).table.cursor_id
        assert agent.runs[chosen].state is RunState.RUNNING
        await type_text(pilot, "xy")
        await until(pilot, lambda: agent.runs[chosen].cancel_requested_at is not None)


async def test_a_jump_and_what_is_to_be_done_there(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await type_text(pilot, ":job orders-exp\rdy")
        await until(pilot, lambda: "copied: jobdeck job show orders-export" in text_of(pilot.app))
        await type_text(pilot, ":view failed\r/invoice\r")
        await until(pilot, lambda: place(pilot) == "runs" and screen(pilot).filter_text == "invoice")
        assert screen(pilot).saved.name == "failed"


async def test_a_run_that_must_be_asked_for_first(agent: StandIn) -> None:
    ended = agent.runs[run_id(66)]
    agent.runs = {
        run_id(number): ended.model_copy(update={"id": run_id(number), "number": number}) for number in range(1, 701)
    }
    async with opened(agent) as pilot:
        await type_text(pilot, ":run 3\rly")
        await until(pilot, lambda: f"copied: jobdeck run logs {run_id(3)}" in text_of(pilot.app))


async def test_a_search_in_the_help(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await type_text(pilot, "?cancel is cancelled")
        await until(pilot, lambda: "cancel what is active" in text_of(pilot.app))
        await type_text(pilot, "\r2")
        await until(pilot, lambda: place(pilot) == "jobs")


async def test_what_is_pasted_into_a_filter(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await type_text(pilot, "2/")
        driver = pilot.app._driver
        assert driver is not None
        driver.send_message(events.Paste("orders"))
        await type_text(pilot, "-exp\r")
        await until(pilot, lambda: place(pilot) == "jobs" and screen(pilot).filter_text == "orders-exp")
