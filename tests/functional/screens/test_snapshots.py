"""How the screens look, at the design size and on a wide terminal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.harness.console import console_on, settled, text_of, until
from tests.harness.night import fixed_night
from tests.harness.stand_in import StandIn

SIZES = [(80, 24), (160, 48)]
Steps = Callable[[Pilot[Any]], Awaitable[None]]


async def _runs(pilot: Pilot[Any]) -> None:
    await settled(pilot)


async def _cause(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await pilot.press("n", "enter", "r")
    await until(pilot, lambda: "rerun 13 failed runs of 2 jobs?" in text_of(pilot.app))


async def _jobs(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await pilot.press("2")
    await until(pilot, lambda: "Last 20 runs" in text_of(pilot.app) and "run now" in text_of(pilot.app))


async def _audit(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await pilot.press("a")
    await until(pilot, lambda: "pause_job" in text_of(pilot.app))
    await pilot.press("j")


async def _entry(pilot: Pilot[Any]) -> None:
    await _audit(pilot)
    await pilot.press("enter")
    await until(pilot, lambda: "Mozilla" in text_of(pilot.app))


async def _filter(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await pilot.press("slash", *"state", "colon", *"fail")
    await until(pilot, lambda: "did you mean" in text_of(pilot.app))


async def _help(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await pilot.press("question_mark")
    await until(pilot, lambda: "type to search" in text_of(pilot.app) and "next cause" in text_of(pilot.app))


async def _palette(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await pilot.press("colon", *"job")
    await until(pilot, lambda: "job orders-export" in text_of(pilot.app))


async def _schedule(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await pilot.press("3")
    await until(pilot, lambda: "overlap active" in text_of(pilot.app))


async def _workers(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await pilot.press("4")
    await until(pilot, lambda: "busy" in text_of(pilot.app) and "its run" in text_of(pilot.app))


async def _missed(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await pilot.press("m")
    await until(pilot, lambda: "1,200" in text_of(pilot.app) and "give up" in text_of(pilot.app))
    await pilot.press("r")
    await until(pilot, lambda: "y run them" in text_of(pilot.app))


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x48"])
@pytest.mark.parametrize("steps", [_schedule, _workers, _missed], ids=lambda steps: steps.__name__[1:])
def test_roster(agent: StandIn, snap_compare: Any, steps: Steps, size: tuple[int, int]) -> None:
    assert snap_compare(console_on(fixed_night(agent)), terminal_size=size, run_before=steps)


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x48"])
@pytest.mark.parametrize(
    "steps", [_runs, _cause, _jobs, _audit, _entry, _filter, _help, _palette], ids=lambda steps: steps.__name__[1:]
)
def test_screen(agent: StandIn, snap_compare: Any, steps: Steps, size: tuple[int, int]) -> None:
    assert snap_compare(console_on(agent), terminal_size=size, run_before=steps)


def test_missed_fires_that_wait(agent: StandIn, snap_compare: Any) -> None:
    agent.held = (1240, 12)
    assert snap_compare(console_on(agent), terminal_size=(80, 24), run_before=_jobs)


@pytest.mark.parametrize("theme", ["light", "contrast", "terminal"])
def test_theme(agent: StandIn, snap_compare: Any, theme: str) -> None:
    assert snap_compare(console_on(agent, theme=theme), terminal_size=(80, 24), run_before=_runs)


def test_without_colours(agent: StandIn, snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = console_on(agent, environ={"NO_COLOR": "1", "LANG": "C.UTF-8"})
    assert snap_compare(app, terminal_size=(80, 24), run_before=_runs)


def test_ascii(agent: StandIn, snap_compare: Any) -> None:
    assert snap_compare(console_on(agent, environ={"LANG": "C"}), terminal_size=(80, 24), run_before=_runs)
