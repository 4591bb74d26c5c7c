"""The form and what it would change, as they read in both design sizes, on an agent whose clock stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.harness.agent import RunningAgent, running_agent
from tests.harness.operator import operating

JOB = {
    "name": "Nightly report", "type": "command", "intervalType": "cron", "interval": "30 2 * * *",
    "timezone": "Europe/Berlin", "data": {"command": "report --all"},
}  # fmt: skip


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[RunningAgent]:
    async with running_agent(tmp_path / "data") as agent:
        async with agent.local() as client:
            assert (await client.post("/api/jobs", json=JOB)).status_code == 201
        yield agent


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_every_step(agent: RunningAgent, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with operating(agent.socket, size, agent.clock) as operator:
        await operator.reads("live")
        await operator.press("2")
        await operator.reads("Nightly report")
        await operator.press("e")
        await operator.reads("Edit the job", "report --all")
        assert await operator.stands() == snapshot(name="what")
        await operator.press("ctrl+s")
        await operator.reads("When *", "at 02:30 (Europe/Berlin)")
        await operator.press("enter", "end", *["backspace"] * 10)
        await operator.type("0 6 * * MON-FRI")
        await operator.press("ctrl+s")
        await operator.reads("Publish it", "Next fires")
        assert await operator.stands() == snapshot(name="review")
