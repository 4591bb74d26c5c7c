"""One real agent for all tests of the screen, and runs on it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent_process import AgentProcess, agent_process

StartRun = Callable[..., str]
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    with agent_process(Path(tmp_path_factory.mktemp("agent")) / "data") as process:
        yield process


@pytest.fixture
def start_run(agent: AgentProcess) -> StartRun:
    """Runs a shell line as a job of its own, waits for the states that are named, gives the run's id."""

    def start(line: str, *states: str, name: str = "Task", **policies: Any) -> str:
        job = {
            "name": f"{name} {next(_NUMBERS)}",
            "type": "command",
            "data": {"command": line, "transient_exit_codes": [75]},
            "policies": {"retry": {"attempts": 1}, **policies},
        }
        made = agent.call("POST", "/api/jobs", job)
        run_id = str(agent.call("POST", f"/api/jobs/{made['id']}")["id"])
        if states:
            agent.run_until(run_id, *states)
        return run_id

    return start
