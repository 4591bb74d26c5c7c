"""The agent as a service: what it tells the manager that started it, and the unit that is shipped."""

from __future__ import annotations

import configparser
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from shared.commands import COMMANDS
from shared.exits import Exit
from tests.harness.agent_process import AgentProcess
from tests.harness.telling import PATIENCE

UNIT = Path(__file__).parents[2] / "docs" / "jobdeck.service"


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "notify"))
        door.settimeout(PATIENCE)
        yield door


def heard(manager: socket.socket, word: str) -> list[str]:
    """All messages up to the one with this word."""
    messages: list[str] = []
    while not messages or word not in messages[-1].splitlines():
        messages.append(manager.recv(4096).decode())
    return messages


def make_room(manager: socket.socket) -> None:
    """Take what lies there: the kernel keeps few datagrams, and the agent does not wait for room."""
    manager.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            manager.recv(4096)
    manager.settimeout(PATIENCE)


def test_an_agent_says_when_it_is_ready_alive_and_leaving(tmp_path: Path, manager: socket.socket) -> None:
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
    agent = AgentProcess(tmp_path / "data", "--workers", "1", env=env, cold=True).start()
    try:
        assert len(heard(manager, "READY=1")) == 1
        heard(manager, "WATCHDOG=1")
        job = {"name": "Env", "type": "command", "data": {"command": 'env; test -z "$NOTIFY_SOCKET$WATCHDOG_USEC"'}}
        created = agent.call("POST", "/api/jobs", job, expect=201)
        run = agent.call("POST", f"/api/jobs/{created['id']}")
        assert agent.run_until(run["id"], "completed", "failed")["state"] == "completed"
        make_room(manager)
    finally:
        assert agent.stop() == 0
    assert "STOPPING=1" in heard(manager, "STOPPING=1")[-1]


def test_a_stopped_store_gets_no_sign_of_life(tmp_path: Path, manager: socket.socket) -> None:
    """Another process holds the store's file: the agent replies to no ping, says so, and is not taken for alive."""
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
    agent = AgentProcess(tmp_path / "data", "--workers", "1", env=env, cold=True).start()
    try:
        with closing(
            sqlite3.connect(tmp_path / "data" / "jobdeck.db", timeout=PATIENCE, isolation_level=None)
        ) as holder:
            holder.execute("BEGIN IMMEDIATE")
            heard(manager, "STATUS=the store does not reply")
            assert not any("WATCHDOG" in message for message in heard(manager, "STATUS=the store does not reply"))
            holder.execute("ROLLBACK")
        heard(manager, "WATCHDOG=1")
    finally:
        assert agent.stop() == 0


def test_without_a_manager_nothing_is_told_and_a_dead_one_does_no_harm(tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path / "data", env={"NOTIFY_SOCKET": str(tmp_path / "gone"), "WATCHDOG_USEC": "1000"})
    agent.start()
    assert agent.stop() == 0


@pytest.fixture
def unit() -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    return unit


def test_the_unit_starts_what_there_is(unit: configparser.ConfigParser) -> None:
    python, *words = unit["Service"]["ExecStart"].split()
    assert (python, words[:3]) == ("/opt/jobdeck/bin/python", ["-I", "-m", "shared.launcher"])
    assert words[3] in COMMANDS
    assert unit["Service"]["Type"] == "notify"


def test_systemd_goes_on_trying_what_may_pass_and_leaves_what_does_not(unit: configparser.ConfigParser) -> None:
    """A disk that is full for an hour at night must not cost the morning."""
    assert unit["Service"]["Restart"] == "on-failure"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    left_alone = {int(code) for code in unit["Service"]["RestartPreventExitStatus"].split()}
    assert left_alone == {Exit.USAGE}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_the_unit_sound(tmp_path: Path) -> None:
    unit = tmp_path / "jobdeck.service"
    unit.write_text(
        UNIT.read_text().replace("/opt/jobdeck/bin/python", sys.executable).replace("=jobdeck\n", "=root\n")
    )
    env = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, env=env, timeout=PATIENCE
    )
    assert "jobdeck.service" not in done.stderr, done.stderr
