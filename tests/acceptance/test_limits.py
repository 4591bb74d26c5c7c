"""The limits of a run: who takes more than he may is ended with a name and a figure, and everything he started with him."""

from __future__ import annotations

import re
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.workers import gauge
from tests.acceptance.equipped.watching import alive, equipped_agent, lives, log_of, pids_in, start, the_worker
from tests.harness.agent_process import AgentProcess, until

_OFFENDER = """
import os, signal, subprocess, sys, time
pids, what, amount, parts = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
def say():
    with open(pids, "a") as file:
        file.write(f"{os.getpid()}\\n")
    while what != "time" and len(open(pids).readlines()) <= parts:
        time.sleep(0.005)
def take():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say()
    held = [os.urandom(10**6) for _ in range(amount)] if what == "memory" else None
    files = [os.open("/", os.O_RDONLY) for _ in range(amount)] if what == "files" else None
    time.sleep(600)
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    take()
for _ in range(parts - 1):
    if os.fork() == 0:
        take()
if what == "output":
    say()
    while True:
        os.write(1, b"x" * 99 + b"\\n")
take()
"""
"""A program that keeps what it took until it is killed: parts of the amount each in a process of its own, one of them double-forked in a session of its own, deaf to TERM. None takes anything before all are there."""

_ONCE_TOGETHER = """
import os, time
held = os.urandom(40_000_000)
children = [os.fork() for _ in range(3)]
time.sleep(0.5)
"""

_WITNESS = """
for pid in $(cat PIDS); do readlink /proc/$pid/exe > /dev/null && echo alive $pid; done
echo looked
"""
"""Runs in the slot that the offender had; a zombie has no `exe`."""

_POLICIES = {"kill_grace": "0.5 s", "retry": {"attempts": 1}}


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """With one worker, so that the next run gets the place of the one before."""
    with equipped_agent(tmp_path_factory.mktemp("limits") / "data", "--workers", "1") as running:
        yield running


def _figure(message: str, limit: str) -> float:
    match = re.fullmatch(rf"{limit} exceeded: ([\d.]+)(?: [kMG]B)?", message)
    assert match, message
    return float(match[1])


def _command(pids: Path, what: str, amount: int, parts: int) -> dict[str, Any]:
    return {"command": [sys.executable, "-I", "-c", _OFFENDER, str(pids), what, str(amount), str(parts)]}


def _ends_as(agent: AgentProcess, run_id: str, pids: Path, kind: str, parts: int = 1) -> str:
    """The offender has failed so, and whoever gets its place finds none of its processes; the error's message."""
    witness = start(agent, f"{pids.name} witness", "command", {"command": _WITNESS.replace("PIDS", str(pids))})
    failed = agent.run_until(run_id, "completed", "failed", "cancelled")
    found = pids_in(pids, parts)
    assert [pid for pid in found if alive(pid)] == []
    assert (failed["state"], failed["error"]["kind"]) == ("failed", kind), failed["error"]
    assert not failed["error"]["transient"]
    agent.run_until(witness, "completed")
    assert log_of(agent, witness) == ["looked"]
    assert failed["error"]["message"] in log_of(agent, run_id)[-1]
    return str(failed["error"]["message"])


def test_the_memory_of_a_whole_tree(agent: AgentProcess, tmp_path: Path) -> None:
    """No process of it takes more than 64 MB, all together do."""
    worker, pids = the_worker(agent), tmp_path / "tree"
    run = start(agent, "tree", "command", _command(pids, "memory", 30, 4), limits={"memory": "64 MB"}, **_POLICIES)
    assert 64 < _figure(_ends_as(agent, run, pids, "memory_limit", 2), "memory limit of 64 MB") < 400
    assert lives(worker), "it had done nothing wrong"


def test_memory_that_processes_share_counts_once(agent: AgentProcess) -> None:
    run = start(
        agent, "shared", "command", {"command": [sys.executable, "-c", _ONCE_TOGETHER]}, limits={"memory": "80 MB"}
    )
    ended = agent.run_until(run, "completed", "failed")
    assert ended["state"] == "completed", ended["error"]


def test_the_files_of_a_whole_tree(agent: AgentProcess, tmp_path: Path) -> None:
    worker, pids = the_worker(agent), tmp_path / "files"
    run = start(agent, "files", "command", _command(pids, "files", 60, 3), limits={"open_files": 100}, **_POLICIES)
    assert _figure(_ends_as(agent, run, pids, "open_files_limit", 3), "open files limit of 100") > 100
    assert lives(worker)


def test_more_files_than_the_systems_own_limit_would_leave(agent: AgentProcess, tmp_path: Path) -> None:
    """The kernel's soft limit would stop it first, for a reason without a name; while the run lasts it is the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    worker, pids = the_worker(agent), tmp_path / "many"
    resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (256, hard))
    run = start(agent, "many", "command", _command(pids, "files", 1000, 1), limits={"open_files": 200}, **_POLICIES)
    assert _figure(_ends_as(agent, run, pids, "open_files_limit"), "open files limit of 200") > 256
    assert resource.prlimit(worker.pid, resource.RLIMIT_NOFILE) == (soft, hard), "it is the agent's again"


def test_the_output_of_a_program(agent: AgentProcess, tmp_path: Path) -> None:
    pids = tmp_path / "output"
    run = start(agent, "output", "command", _command(pids, "output", 0, 2), limits={"output": "50 kB"}, **_POLICIES)
    assert _figure(_ends_as(agent, run, pids, "output_limit", 2), "output limit of 50 kB") == pytest.approx(50, rel=0.1)
    kept = [line for line in log_of(agent, run) if line.startswith("x")]
    assert sum(len(line) + 1 for line in kept) == 50_000, "not a byte more reached the disk"


def test_the_time_of_a_program(agent: AgentProcess, tmp_path: Path) -> None:
    pids = tmp_path / "time"
    run = start(agent, "time", "command", _command(pids, "time", 0, 3), timeout="2 s", **_POLICIES)
    assert _ends_as(agent, run, pids, "timeout", 3) == "it took longer than its timeout of 2 s"


@pytest.mark.parametrize(
    ("type_", "amount", "limits", "kind", "message"),
    [
        ("hog", 100, {"memory": "64 MB"}, "memory_limit", "memory limit of 64 MB"),
        ("leak", 300, {"open_files": 100}, "open_files_limit", "open files limit of 100"),
        ("talk", 5000, {"output": "50 kB"}, "output_limit", "output limit of 50 kB"),
        ("be-deaf", 0, {}, "timeout", None),
    ],
)
def test_a_driver_in_the_worker_itself(
    agent: AgentProcess, tmp_path: Path, type_: str, amount: int, limits: dict[str, Any], kind: str, message: str | None
) -> None:
    worker, pids = the_worker(agent), tmp_path / type_
    timeout = None if limits else "3 s"  # within it, the stray is there
    data = {"pids": str(pids), "amount": amount}
    run = start(agent, type_, type_, data, limits=limits, timeout=timeout, **_POLICIES)
    said = _ends_as(agent, run, pids, kind)
    if message is not None:
        assert _figure(said, message) > float(re.findall(r"\d+", message)[0])
    assert lives(worker) == (type_ == "talk"), "who took too much in the worker, or does not hear, takes it along"
    assert gauge.files_of(the_worker(agent).pid) < 50


def test_within_its_limits_nobody_is_disturbed(agent: AgentProcess, tmp_path: Path) -> None:
    worker = the_worker(agent)
    within = {"memory": "200 MB", "open_files": 1000, "output": "1 MB"}
    run = start(agent, "within", "hog", {"amount": 50}, limits=within)
    ended = agent.run_until(run, "completed", "failed")
    assert ended["state"] == "completed", ended["error"]
    until(lambda: lives(worker), "the worker works on")


def test_limits_are_checked_when_a_job_is_published(agent: AgentProcess) -> None:
    wrong = {"memory": "64", "output": "10 bytes", "open_files": 0}
    for name, value in wrong.items():
        job = {"name": f"wrong {name}", "type": "command", "data": {"command": "true"}}
        refused = agent.call("POST", "/api/jobs", {**job, "policies": {"limits": {name: value}}}, expect=400)
        assert f"limits.{name}" in str(refused)
    job = {"name": "right", "type": "command", "data": {"command": "true"}}
    right = agent.call("POST", "/api/jobs", {**job, "policies": {"limits": {"memory": "0.5 GiB"}}}, expect=201)
    assert right["policies"]["limits"] == {"memory": "512 MiB", "output": None, "open_files": None}
