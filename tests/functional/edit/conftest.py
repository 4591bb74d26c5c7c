"""One real agent for all tests, and a job in it that nobody else edits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent_process import AgentProcess, agent_process

_numbers = count(1)


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    with agent_process(Path(tmp_path_factory.mktemp("editing")) / "data") as process:
        yield process


@pytest.fixture
def job(agent: AgentProcess) -> Iterator[dict[str, Any]]:
    """It alone is in the list; the form shows a part of what it says."""
    definition = {
        "name": f"Nightly {next(_numbers)}", "type": "command", "intervalType": "cron", "interval": "0 2 * * *",
        "timezone": "Europe/Berlin", "tags": ["kept"], "description": "kept as well",
        "data": {"command": ["sh", "-c", "echo a, b"]}, "policies": {"priority": 7, "timeout": "1 hour"},
    }  # fmt: skip
    made = agent.call("POST", "/api/jobs", definition)
    yield made
    agent.call("DELETE", f"/api/jobs/{made['id']}")
