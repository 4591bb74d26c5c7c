"""Retries, timeouts, cancels and reruns of real programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent_process import AgentProcess, agent_process, until

SECRET = "p4ss-w0rd-of-the-shop"


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    with agent_process(tmp_path_factory.mktemp("retries") / "data", "--workers", "2") as agent:
        yield agent


def test_a_transient_failure_is_tried_again_with_every_attempt_on_record(agent: AgentProcess, tmp_path: Path) -> None:
    count = tmp_path / "count"
    script = f'echo x >> {count}; [ "$(wc -l < {count})" -ge 3 ] || {{ echo "not yet" >&2; exit 75; }}'
    run = _run(agent, "transient", script, retry={"attempts": 3, "backoff": "1 s"})
    ended = agent.run_until(run["id"], "completed", "failed")
    assert (ended["state"], ended["attempt"], ended["error"]) == ("completed", 3, None)
    attempts = agent.call("GET", f"/api/runs/{run['id']}/attempts")["items"]
    assert [each["outcome"] for each in attempts] == ["retrying", "retrying", "completed"]
    assert [each["error"]["message"] for each in attempts[:2]] == ["exit status 75: not yet"] * 2
    first, second = (_seconds(attempts[i + 1]["claimedAt"]) - _seconds(attempts[i]["endedAt"]) for i in (0, 1))
    assert first >= 0.75
    assert second >= 1.5, "the back-off doubles"
    text = _log(agent, run)
    assert "attempt 1 failed and will be retried: exit status 75: not yet; next attempt at" in text


def test_other_failures_are_not_tried_again(agent: AgentProcess) -> None:
    run = _run(agent, "permanent", "exit 3", retry={"attempts": 3, "backoff": "1 s"})
    ended = agent.run_until(run["id"], "failed", "retrying")
    assert (ended["state"], ended["attempt"], ended["error"]["kind"]) == ("failed", 1, "exit_status")


def test_a_timeout_is_a_kind_of_its_own(agent: AgentProcess) -> None:
    run = _run(agent, "slow", "exec sleep 3600", timeout="1 s", kill_grace="1 s")
    ended = agent.run_until(run["id"], "failed", "retrying", "cancelled")
    assert (ended["state"], ended["error"]["kind"]) == ("failed", "timeout")
    assert "timeout of 1 s" in ended["error"]["message"]


def test_cancel_of_a_running_a_retrying_and_a_pending_run(agent: AgentProcess, tmp_path: Path) -> None:
    running = _run(agent, "running", f"touch {tmp_path}/up; exec sleep 3600", kill_grace="1 s")
    until((tmp_path / "up").exists, "it runs")
    pending = agent.call("POST", f"/api/jobs/{running['jobId']}")
    retrying = _run(agent, "retrying", "exit 75", retry={"attempts": 3, "backoff": "1 hour"})
    agent.run_until(retrying["id"], "retrying")
    for run in (pending, retrying):
        assert agent.call("POST", f"/api/runs/{run['id']}/_cancel")["state"] == "cancelled"
    asked = agent.call("POST", f"/api/runs/{running['id']}/_cancel")
    assert asked["cancelRequestedAt"] is not None
    assert asked["cancelDeadlineAt"] is not None
    ended = agent.run_until(running["id"], "cancelled")
    assert ended["cancelRequestedAt"] == asked["cancelRequestedAt"]
    refused = agent.call("POST", f"/api/runs/{running['id']}/_cancel", expect=409)
    assert "cancelled already" in str(refused)


def test_a_rerun_names_its_original(agent: AgentProcess, tmp_path: Path) -> None:
    run = _run(agent, "again", f"while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; exit 3")
    agent.call("POST", f"/api/runs/{run['id']}/_rerun", expect=409)
    (tmp_path / "go").touch()
    failed = agent.run_until(run["id"], "failed")
    again = agent.call("POST", f"/api/runs/{failed['id']}/_rerun", expect=201)
    assert (again["originalRunId"], again["cause"]) == (run["id"], "rerun")
    assert agent.run_until(again["id"], "failed")["revision"] == run["revision"]


def test_secrets_are_masked_in_the_error_the_log_and_the_attempts(agent: AgentProcess) -> None:
    agent.call("PUT", "/api/secrets/shop", {"value": SECRET})
    data = {"command": 'echo "out $KEY"; echo "wrong password $KEY" >&2; exit 3', "env": {"KEY": {"secret": "shop"}}}
    run = _run(agent, "leaky", data)
    failed = agent.run_until(run["id"], "failed")
    attempts = agent.call("GET", f"/api/runs/{run['id']}/attempts")
    log = _log(agent, run)
    assert failed["error"]["message"] == "exit status 3: wrong password •••"
    assert "out •••" in log
    for told in (failed, attempts, log, agent.call("GET", f"/api/jobs/{run['jobId']}/explain")):
        assert SECRET not in str(told)
    files = [path for path in agent.data_dir.rglob("*") if path.is_file() and not path.is_socket()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def _run(agent: AgentProcess, name: str, command: Any, **policies: Any) -> dict[str, Any]:
    data = command if isinstance(command, dict) else {"command": command}
    body = {"name": name, "type": "command", "data": data, "policies": policies}
    job = agent.call("POST", "/api/jobs", body, expect=201)
    run: dict[str, Any] = agent.call("POST", f"/api/jobs/{job['id']}")
    return run


def _log(agent: AgentProcess, run: dict[str, Any]) -> str:
    return "\n".join(line["text"] for line in agent.call("GET", f"/api/runs/{run['id']}/log")["lines"])


def _seconds(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()
