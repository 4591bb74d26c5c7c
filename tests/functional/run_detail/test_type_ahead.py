"""Keys typed before what they are meant for is there: on a slow line they come in one go, and every one counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.screens.run_detail import RunDetail
from tests.functional.run_detail.conftest import StartRun
from tests.harness.agent_process import AgentProcess
from tests.harness.operator import operating
from tests.harness.pty_app import PtyApp, start_warm

RUNS = "echo ready; sleep 60"
MANY = "seq -f 'row %g' 3000; echo A Needle; seq -f 'more %g' 3000; exit 3"


@contextmanager
def watching(agent: AgentProcess, home: Path, job: str) -> Iterator[PtyApp]:
    """A console on a terminal, its cursor on that job's run."""
    env = {"JOBDECK_AGENT": str(agent.socket), "HOME": str(home)}
    with start_warm(env=env) as app:
        app.read_until(lambda: "live" in app.rows[0] and job in app.text)
        yield app


@pytest.fixture
def running(agent: AgentProcess, start_run: StartRun) -> Iterator[str]:
    run_id = start_run(RUNS, "running", name="Searched")
    yield run_id
    assert agent.call("GET", f"/api/runs/{run_id}")["cancelRequestedAt"] is None, "what was typed was no act"
    agent.call("POST", f"/api/runs/{run_id}/_cancel", {})


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("together", [True, False])
def test_a_search_typed_before_the_run_is_shown(agent: AgentProcess, tmp_path: Path, *, together: bool) -> None:
    """`x` and `y` in it must not cancel the run."""
    with watching(agent, tmp_path, "Searched") as app:
        for keys in ["\r/xyxy\r"] if together else ["\r", "/xyxy\r"]:
            app.send(keys)
        app.read_until(lambda: "no “xyxy” anywhere" in app.text)


async def test_a_search_in_a_log_that_is_yet_to_come(agent: AgentProcess, start_run: StartRun) -> None:
    run_id = start_run(MANY, "failed", name="Chatty")
    number = agent.call("GET", f"/api/runs/{run_id}")["number"]
    async with operating(agent.socket) as operator:
        await operator.reads("live", "Chatty")
        await operator.type(f":run {number}\rg/needle\r")
        await operator.reads("A Needle", "row 3000")
        await operator.press("n")
        await operator.reads("no “needle” below")
        assert isinstance(operator.app.screen, RunDetail)
