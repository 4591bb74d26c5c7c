"""The store's log is deleted beside a running agent: it says so, takes nothing that would be lost, and loses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.warm_start import run


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_what_was_stored_is_there_after_a_restart(tmp_path: Path, end: str) -> None:
    agent = AgentProcess(tmp_path / "data", "--workers", "1").start()
    try:
        for name in ("one", "two"):
            agent.call("POST", "/api/jobs", _job(name), expect=201)
        (agent.data_dir / "jobdeck.db-wal").unlink()
        told = until(lambda: agent.call("GET", "/api/agent")["storeTrouble"], "it is noticed")
        assert "jobdeck.db-wal was deleted or replaced" in told
        assert "stop the agent and start it again" in told
        assert agent.call("POST", "/api/jobs", _job("three"), expect=503)["error"]["message"] == told
        assert told in run(["doctor", "--data-dir", str(agent.data_dir)]).stdout
        agent.kill() if end == "killed" else agent.stop()
    finally:
        agent.kill()
    with agent_process(agent.data_dir, "--workers", "1") as after:
        names = [job["name"] for job in after.call("GET", "/api/jobs")["_embedded"]["inf:job"]]
        assert sorted(names) == ["one", "two"]
        assert run(["doctor", "--data-dir", str(agent.data_dir)]).returncode == 0


def _job(name: str) -> dict[str, object]:
    return {"name": name, "type": "command", "data": {"command": "true"}}
