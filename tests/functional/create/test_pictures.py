"""The wizard as it reads, in both design sizes, on an agent whose clock stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.harness.agent import NOW, RunningAgent, running_agent
from tests.harness.operator import operating


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[RunningAgent]:
    async with running_agent(tmp_path / "data") as agent:
        yield agent


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_every_step(agent: RunningAgent, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    assert agent.clock.now() == NOW
    async with operating(agent.socket, size, agent.clock) as operator:
        await operator.reads("live")
        await operator.press("c")
        await operator.reads("kb-sync", "Brings rows of a table")
        assert await operator.stands() == snapshot(name="template")
        await operator.press("down", "enter")
        await operator.reads("Command *")
        await operator.type("Nightly")
        await operator.press("enter")
        await operator.type("backup --all")
        await operator.reads("backup --all")
        assert await operator.stands() == snapshot(name="what")
        await operator.press("ctrl+s")
        await operator.reads("When *")
        await operator.type("cron")
        await operator.press("enter")
        await operator.type("30 2 * * *")
        await operator.press("enter")
        await operator.type("Europe/Berlin")
        await operator.reads("at 02:30 (Europe/Berlin)", "Tue 2026-03-03 02:30 CET")
        await operator.until(lambda: operator.text.count("Europe/Berlin") >= 3, "it is picked")
        assert await operator.stands() == snapshot(name="when")
        await operator.press("ctrl+s")
        await operator.reads("Create it and run it now")
        assert await operator.stands() == snapshot(name="review")
