"""View and order of the lists come back at the next start."""

from __future__ import annotations

from pathlib import Path

from tests.functional.screens.test_runs import lines, opened, screen
from tests.harness.console import text_of, until
from tests.harness.stand_in import StandIn


async def test_view_and_order_come_back(agent: StandIn, tmp_path: Path) -> None:
    environ = {"LANG": "C.UTF-8", "HOME": str(tmp_path)}
    async with opened(agent, view="", environ=environ) as pilot:
        await pilot.press("tab", "tab", "s", "s")
        await until(pilot, lambda: "Took/left↓" in lines(pilot)[2])
        await pilot.press("2", "s")
        await until(pilot, lambda: screen(pilot).NAME == "jobs" and "Next↑" in text_of(pilot.app))
    async with opened(agent, view="", environ=environ) as pilot:
        await until(pilot, lambda: " Failed  16" in lines(pilot)[1] and "Took/left↓" in lines(pilot)[2])
        await pilot.press("2")
        await until(pilot, lambda: screen(pilot).NAME == "jobs" and "Next↑" in text_of(pilot.app))
    async with opened(agent, view="all", environ=environ) as pilot:
        assert screen(pilot).saved.name == "all", "what was asked for goes first"


def spoil(home: Path) -> None:
    (path,) = home.rglob("*.json")
    path.write_text("{")


async def test_a_broken_file_is_told_quietly(agent: StandIn, tmp_path: Path) -> None:
    environ = {"LANG": "C.UTF-8", "HOME": str(tmp_path)}
    async with opened(agent, view="failed", environ=environ) as pilot:
        await pilot.press("tab")
        await until(pilot, lambda: screen(pilot).saved.name != "failed")
    spoil(tmp_path)
    async with opened(agent, view="", environ=environ) as pilot:
        await until(pilot, lambda: "what was remembered cannot be read" in text_of(pilot.app))
        assert screen(pilot).saved.name == "all"
