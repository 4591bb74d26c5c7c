"""The console and the real agent, each a process of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.harness.agent_process import AgentProcess, agent_process
from tests.harness.pty_app import PtyApp, start_warm


@pytest.fixture
def agent_at_work(tmp_path: Path) -> Iterator[AgentProcess]:
    with agent_process(tmp_path / "data", env={"JOBDECK_UNDO_DELAY": "2 s"}) as agent:
        for name, code in (
            ("Long work", "import time; time.sleep(600)"),
            ("Broken", "import sys; sys.exit('no such table: orders')"),
        ):
            definition = {
                "name": name, "type": "command", "data": {"command": [sys.executable, "-c", code]},
                "policies": {"retry": {"attempts": 1}},
            }  # fmt: skip
            agent.call("POST", "/api/jobs", definition, expect=201)
        yield agent


@pytest.fixture
def console(agent_at_work: AgentProcess, tmp_path: Path) -> Iterator[PtyApp]:
    environment = {
        "JOBDECK_AGENT": str(agent_at_work.socket), "HOME": str(tmp_path), "LANG": "C.UTF-8", "XDG_CONFIG_HOME": "",
    }  # fmt: skip
    with start_warm((), (100, 30), environment) as app:
        app.read_until(lambda: "live" in app.rows[0])
        yield app


def _row(app: PtyApp, name: str) -> str:
    return next((row for row in app.rows[3:] if name in row), "")


def test_run_now_watch_and_cancel(console: PtyApp) -> None:
    console.send(":job long")
    console.read_until(lambda: "job long-work" in console.text)
    console.send("\r")
    console.read_until(lambda: "Last 20 runs" in console.text)
    console.send("t")
    console.read_until(lambda: "Long work started" in console.text)
    console.send("1")
    console.read_until(lambda: "► R" in _row(console, "Long work"))
    console.send("x")
    console.read_until(lambda: "cancel 1 running run of Long work?" in console.text)
    console.send("y")
    console.read_until(lambda: "⊘ X" in _row(console, "Long work"))


def test_failure_appears_with_its_reason_and_is_run_again(console: PtyApp, agent_at_work: AgentProcess) -> None:
    run = agent_at_work.call("POST", "/api/jobs/broken")
    console.read_until(lambda: "✗ F" in _row(console, "Broken") and "no such table: orders" in console.text)
    console.send("r")
    console.read_until(lambda: "1 run started again" in console.text)
    console.read_until(lambda: "2× Broken" in console.text)
    runs = agent_at_work.call("GET", "/api/runs?filter=job:broken")["items"]
    assert runs[0]["originalRunId"] == run["id"]


def test_a_cancel_that_waits_takes_effect_though_console_and_agent_are_killed(
    console: PtyApp, agent_at_work: AgentProcess
) -> None:
    first, waiting = [agent_at_work.call("POST", "/api/jobs/long-work") for _ in range(2)]
    console.read_until(lambda: "○ P" in console.text)
    console.send(f":run #{waiting['number']}\r")
    console.read_until(lambda: "x cancel" in console.text and "esc back" in console.text)
    console.send("x")
    console.read_until(lambda: "u takes it back" in console.text)
    os.kill(console.pid, signal.SIGKILL)
    agent_at_work.kill()
    agent_at_work.start()
    ended = agent_at_work.run_until(waiting["id"], "cancelled")
    assert ended["error"]["message"].startswith("cancelled by ")
    asked, over = (datetime.fromisoformat(ended[name]) for name in ("cancelRequestedAt", "finishedAt"))
    assert over - asked >= timedelta(seconds=2)
    assert agent_at_work.call("GET", f"/api/runs/{first['id']}")["cancelRequestedAt"] is None


def test_agent_goes_away_and_comes_back(console: PtyApp, agent_at_work: AgentProcess) -> None:
    agent_at_work.kill()
    console.read_until(lambda: "OFFLINE" in console.rows[0])
    agent_at_work.start()
    console.read_until(lambda: "live" in console.rows[0])
    agent_at_work.call("POST", "/api/jobs/broken")
    console.read_until(lambda: "✗ F" in _row(console, "Broken"))
