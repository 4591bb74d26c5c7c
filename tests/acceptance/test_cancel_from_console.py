"""An operator cancels a stubborn program with keys: nothing of it is left before the console reads `cancelled`."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.pty_app import PtyApp, start
from tests.harness.telling import PATIENCE, tell_state

GRACE = 3.0
MARK = "JOBDECK_TEST_MARK"

STUBBORN = """
import os, signal, time

def live():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(0.2)

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        live()
    os._exit(0)
os.wait()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("child and grandchild live", flush=True)
live()
"""


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    with agent_process(tmp_path / "data") as process:
        yield process


@pytest.fixture
def console(agent: AgentProcess, tmp_path: Path) -> Iterator[PtyApp]:
    env = {"JOBDECK_AGENT": str(agent.socket), "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    with start([sys.executable, "-m", "shared.launcher"], env=env) as app:
        yield app


def test_cancelled_is_read_only_when_no_process_is_left(agent: AgentProcess, console: PtyApp) -> None:
    mark = uuid.uuid4().hex
    run_id = _start_stubborn(agent, mark)
    assert _has_detached_grandchild(mark)

    console.read_until(lambda: "Stubborn" in console.text and "live" in console.rows[0])
    console.send("\r")
    console.read_until(lambda: "child and grandchild live" in console.text)
    console.send("x")
    console.read_until(lambda: "cancel it" in console.text)
    assert agent.call("GET", f"/api/runs/{run_id}")["cancelRequestedAt"] is None, "asked first, then done"
    console.send("y")
    console.read_until(lambda: "TERM sent, KILL in" in console.text)

    gone_at, seen_alive = _watch(agent, console, run_id, mark)

    run = agent.call("GET", f"/api/runs/{run_id}")
    took = (gone_at - datetime.fromisoformat(run["cancelRequestedAt"])).total_seconds()
    assert seen_alive > 1, "the processes were watched while they lived"
    assert took >= GRACE - 0.5, f"gone {took:.2f} s after the cancel"
    assert run["state"] == "cancelled"
    assert "cancelled" in console.rows[1]


def _watch(agent: AgentProcess, console: PtyApp, run_id: str, mark: str) -> tuple[datetime, int]:
    """Look at console, agent and processes, in this order, until the console reads `cancelled`."""
    gone_at, seen_alive = None, 0
    over = time.monotonic() + PATIENCE
    while "cancelled" not in console.rows[1]:
        assert time.monotonic() < over, f"{console.text}\n{tell_state()}"
        console.read_for(0.05)
        shown, state = console.rows[1], agent.call("GET", f"/api/runs/{run_id}")["state"]
        alive = marked(mark)
        if alive:
            seen_alive += 1
            assert "cancelled" not in shown, f"{len(alive)} processes live while the console reads:\n{console.text}"
            assert state != "cancelled", f"{len(alive)} processes live while the agent says so"
        elif gone_at is None:
            gone_at = datetime.now(UTC)
    assert gone_at is not None
    return gone_at, seen_alive


def _start_stubborn(agent: AgentProcess, mark: str) -> str:
    job = {
        "name": "Stubborn",
        "type": "command",
        "data": {"command": [sys.executable, "-c", STUBBORN], "env": {MARK: mark}},
        "policies": {"kill_grace": f"{GRACE:g} s"},
    }
    run: dict[str, Any] = agent.call("POST", f"/api/jobs/{agent.call('POST', '/api/jobs', job)['id']}")
    until(lambda: len(marked(mark)) >= 2, "child and grandchild live")
    until(lambda: agent.call("GET", f"/api/runs/{run['id']}/log")["total"], "it has said so")
    return str(run["id"])


def _has_detached_grandchild(mark: str) -> bool:
    """One of them is in a session, and so in a process group, of its own."""
    return len({os.getsid(process.pid) for process in marked(mark)}) > 1


def marked(mark: str) -> list[psutil.Process]:
    """Living processes with the mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found
