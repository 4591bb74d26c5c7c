"""A machine that is suspended for longer than a lease, as a laptop's lid or a hypervisor does it: all of it stops at
once, and all of it goes on."""

from __future__ import annotations

import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.harness.agent_process import AgentProcess, agent_process, until

LEASE = 1.0


@pytest.mark.parametrize("seconds", [3 * LEASE, pytest.param(75, marks=pytest.mark.soak)])
def test_nothing_runs_twice_after_a_suspension(tmp_path: Path, seconds: float) -> None:
    book, go = tmp_path / "book", tmp_path / "go"
    with agent_process(tmp_path / "data", "--workers", "3", env={"JOBDECK_LEASE": f"{LEASE} s"}) as agent:
        command = f"echo $JOBDECK_ATTEMPT >> {book}; until [ -e {go} ]; do sleep 0.02; done"
        runs = [_start(agent, name, command, on_lost) for name, on_lost in (("retried", "retry"), ("failed", "fail"))]
        ticking = _publish(agent, "ticking", "true", intervalType="simple", interval="1 second")
        until(lambda: book.exists() and len(book.read_text().split()) == 2 and _fires(agent, ticking), "they run")

        suspended = _suspend(agent)
        woken_at = time.monotonic() + seconds
        until(lambda: time.monotonic() > woken_at, "it was away for longer than the lease", deadline=seconds + 5)
        _wake(suspended)
        seen = len(_fires(agent, ticking))
        until(lambda: len(_fires(agent, ticking)) > seen + 1, "the scheduler goes on")
        go.touch()
        for run in runs:
            ended = agent.run_until(run["id"], "completed", "failed", "retrying", "cancelled")
            assert (ended["state"], ended["attempt"]) == ("completed", 1), ended
        moments = [fire["fireAt"] for fire in _fires(agent, ticking)]
        assert len(set(moments)) == len(moments)
    assert book.read_text().split() == ["1", "1"]


def _suspend(agent: AgentProcess) -> list[psutil.Process]:
    assert agent.process is not None
    top = psutil.Process(agent.process.pid)
    top.suspend()  # first: whatever it starts is below it already
    processes = [top, *top.children(recursive=True)]
    _signal(processes, signal.SIGSTOP)
    return processes


def _wake(processes: list[psutil.Process]) -> None:
    """In no particular order, as a kernel does."""
    random.Random(7).shuffle(processes)
    _signal(processes, signal.SIGCONT)


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _publish(agent: AgentProcess, name: str, command: str, on_lost: str = "retry", **more: Any) -> dict[str, Any]:
    policies = {"on_lost": on_lost, "overlap": "allow", "kill_grace": "1 s"}
    body = {"name": name, "type": "command", "data": {"command": command}, "policies": policies, **more}
    job: dict[str, Any] = agent.call("POST", "/api/jobs", body, expect=201)
    return job


def _start(agent: AgentProcess, name: str, command: str, on_lost: str) -> dict[str, Any]:
    run: dict[str, Any] = agent.call("POST", f"/api/jobs/{_publish(agent, name, command, on_lost)['id']}")
    return run


def _fires(agent: AgentProcess, job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = agent.call("GET", f"/api/fires?jobId={job['id']}&limit=200")["items"]
    return found
