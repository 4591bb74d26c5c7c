"""Each overlap policy, a pause and a deletion, with real runs of a real agent on the real clock."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent_process import AgentProcess, agent_process, until

POLICIES = ("skip", "queue_one", "queue_all", "cancel_running", "allow")


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    with agent_process(tmp_path_factory.mktemp("overlap") / "data", "--workers", "8") as agent:
        yield agent


def test_each_overlap_policy_while_a_run_is_active(agent: AgentProcess, tmp_path: Path) -> None:
    """Every second a fire, and the first run lasts until it is told: what becomes of the fires behind it."""
    flag = tmp_path / "go"
    jobs = {overlap: _every_second(agent, overlap, flag) for overlap in POLICIES}
    for overlap, job in jobs.items():
        reasons = until(partial(_three_reasons, agent, job), f"{overlap}: three fires")
        agent.run_until(_runs(agent, job)[0]["id"], "running", "cancelled")
        runs = _runs(agent, job)
        at_work = [run for run in runs if run["state"] == "running"]
        match overlap:
            case "skip":
                assert set(reasons[1:]) == {"overlap_active"}
                assert len(runs) == 1
            case "queue_one":
                assert reasons[1:3] == ["queued_behind", "overlap_queue_full"]
                assert [run["state"] for run in runs] == ["running", "pending"]
                assert runs[1]["waitingFor"] == "an older run of this job"
            case "queue_all":
                assert set(reasons[1:]) == {"queued_behind"}
                assert len(at_work) == 1
            case "cancel_running":
                assert set(reasons[1:]) == {"replaced_running"}
                first = agent.run_until(runs[0]["id"], "cancelled")
                assert first["cancelRequestedAt"] is not None
                assert len(at_work) <= 1
            case "allow":
                assert set(reasons) == {"on_time"}
                until(partial(_two_started, agent, job), "side by side")
    for job in jobs.values():
        agent.call("POST", f"/api/jobs/{job['id']}/_pause")
    flag.touch()
    for overlap, job in jobs.items():
        until(partial(_is_quiet, agent, job), f"{overlap}: all have ended")
        if overlap not in ("allow", "cancel_running"):
            _assert_one_after_the_other(_runs(agent, job))
    for job in jobs.values():
        agent.call("DELETE", f"/api/jobs/{job['id']}")


def test_a_paused_job_starts_nothing_and_tells_the_span_in_one_row(agent: AgentProcess, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    job = _every_second(agent, "pausing", tmp_path / "go", overlap="allow")
    until(lambda: _runs(agent, job), "it fires")
    paused = agent.call("POST", f"/api/jobs/{job['id']}/_pause")
    assert paused["nextRunAt"] is None
    before = len(_runs(agent, job))
    other = _every_second(agent, "meanwhile", tmp_path / "go", overlap="allow")
    until(lambda: len(_runs(agent, other)) > 1, "another job fires all the while")
    assert len(_runs(agent, job)) == before
    agent.call("POST", f"/api/jobs/{job['id']}/_resume")
    until(lambda: len(_runs(agent, job)) > before, "it fires again")
    rows = [fire for fire in _fires(agent, job) if fire["outcome"] == "paused"]
    assert len(rows) == 1
    assert rows[0]["count"] >= 1
    moments = [fire["fireAt"] for fire in _fires(agent, job)]
    assert len(set(moments)) == len(moments)
    for each in (job, other):
        agent.call("DELETE", f"/api/jobs/{each['id']}")


def test_a_deleted_job_leaves_no_run_waiting_and_its_running_one_may_finish(
    agent: AgentProcess, tmp_path: Path
) -> None:
    flag = tmp_path / "go"
    job = _every_second(agent, "deleting", flag, overlap="queue_one")
    until(lambda: [run["state"] for run in _runs(agent, job)] == ["running", "pending"], "one runs, one waits")
    running, waiting = _runs(agent, job)
    agent.call("DELETE", f"/api/jobs/{job['id']}")
    assert agent.run_until(waiting["id"], "cancelled")["error"]["kind"] == "job_deleted"
    flag.touch()
    assert agent.run_until(running["id"], "completed", "failed")["state"] == "completed"
    agent.call("POST", f"/api/runs/{running['id']}/_rerun", expect=409)


def _every_second(agent: AgentProcess, name: str, flag: Path, overlap: str | None = None) -> dict[str, Any]:
    """A job that fires each second; its run lasts until the flag is there."""
    wait = f"while [ ! -e {flag} ]; do sleep 0.02; done"
    body = {
        "name": name, "type": "command", "intervalType": "simple", "interval": "1 second",
        "data": {"command": wait}, "policies": {"overlap": overlap or name, "kill_grace": "1 s"},
    }  # fmt: skip
    job: dict[str, Any] = agent.call("POST", "/api/jobs", body, expect=201)
    return job


def _runs(agent: AgentProcess, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Oldest first."""
    found: list[dict[str, Any]] = agent.call("GET", f"/api/runs?jobId={job['id']}&limit=200")["items"]
    return found[::-1]


def _two_started(agent: AgentProcess, job: dict[str, Any]) -> bool:
    return sum(run["startedAt"] is not None for run in _runs(agent, job)) > 1


def _is_quiet(agent: AgentProcess, job: dict[str, Any]) -> bool:
    return all(run["finishedAt"] is not None for run in _runs(agent, job))


def _fires(agent: AgentProcess, job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = agent.call("GET", f"/api/fires?jobId={job['id']}&limit=200")["items"]
    return found[::-1]


def _three_reasons(agent: AgentProcess, job: dict[str, Any]) -> list[str] | None:
    reasons = [fire["reason"] for fire in _fires(agent, job)]
    return reasons if len(reasons) >= 3 else None


def _assert_one_after_the_other(runs: list[dict[str, Any]]) -> None:
    ran = [run for run in runs if run["startedAt"] is not None]
    for before, after in pairwise(ran):
        assert before["finishedAt"] <= after["startedAt"]
