"""The agent killed while it works: what it had promised is kept by the next one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil

from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.warm_start import run


def test_a_run_of_a_killed_agent_is_retried_or_failed_as_its_policy_says(tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path / "data", "--workers", "2").start()
    kept = _start(agent, "retried", tmp_path / "retried", on_lost="retry")
    lost = _start(agent, "failed", tmp_path / "failed", on_lost="fail")
    pids = [int((tmp_path / name).read_text()) for name in ("retried", "failed")]
    agent.kill()

    with agent_process(tmp_path / "data", "--workers", "2") as next_agent:
        failed = next_agent.run_until(lost["id"], "failed")
        retried = next_agent.run_until(kept["id"], "retrying", "running")
        assert failed["error"]["kind"] == "lost"
        assert retried["attempt"] >= 1
        assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)


def test_a_second_agent_names_the_holder(tmp_path: Path) -> None:
    with agent_process(tmp_path / "data") as agent:
        assert agent.process is not None
        second = run(["agent", "--data-dir", str(tmp_path / "data"), "--bind", "127.0.0.1:0"])
    assert second.returncode != 0
    assert str(agent.process.pid) in second.stderr
    assert "Traceback" not in second.stderr


def test_term_ends_the_agent_and_everything_it_started(tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path / "data", "--workers", "1", env={"JOBDECK_STOP_GRACE": "0 s"}).start()
    _start(agent, "long", tmp_path / "long", on_lost="fail")
    pid = int((tmp_path / "long").read_text())
    assert agent.stop() == 0
    assert not psutil.pid_exists(pid)


def _start(agent: AgentProcess, name: str, mark: Path, on_lost: str) -> dict[str, Any]:
    """A run whose program has written its pid and then waits."""
    command = ["/bin/sh", "-c", f"echo $$ > {mark}.part; mv {mark}.part {mark}; exec sleep 3600"]
    policies = {"on_lost": on_lost, "kill_grace": "1 s", "retry": {"attempts": 3, "backoff": "1 hour"}}
    job = agent.call(
        "POST",
        "/api/jobs",
        {"name": name, "type": "command", "data": {"command": command}, "policies": policies},
        expect=201,
    )
    started: dict[str, Any] = agent.call("POST", f"/api/jobs/{job['id']}")
    until(mark.exists, f"{name} runs")
    return started
