"""A real agent with the equipped drivers, and looks at its real processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.workers import processes
from agent.workers.processes import Process
from tests.harness.agent_process import AgentProcess, agent_process, until

MODULE = "tests.acceptance.equipped.program"


def equipped(data_dir: Path, *flags: str, **env: str) -> AgentProcess:
    return AgentProcess(data_dir, *flags, env=env, module=MODULE)


@contextmanager
def equipped_agent(data_dir: Path, *flags: str, **env: str) -> Iterator[AgentProcess]:
    with agent_process(data_dir, *flags, env=env, module=MODULE) as agent:
        yield agent


def create(agent: AgentProcess, name: str, type_: str, data: dict[str, Any], **policies: Any) -> dict[str, Any]:
    job = {"name": name, "type": type_, "data": data, "policies": policies}
    created: dict[str, Any] = agent.call("POST", "/api/jobs", job, expect=201)
    return created


def start(agent: AgentProcess, name: str, type_: str, data: dict[str, Any], **policies: Any) -> str:
    """A run of a new job; its id."""
    job = create(agent, name, type_, data, **policies)
    return str(agent.call("POST", f"/api/jobs/{job['id']}")["id"])


def workers(agent: AgentProcess) -> list[tuple[Process, Process]]:
    """(keeper, worker) of each that is there."""
    assert agent.process is not None
    table = processes.table()
    found = [process for process in processes.descendants(agent.process.pid, table) if _is_worker(process.pid)]
    by_pid = {process.pid: process for process in found}
    return [(by_pid[process.parent], process) for process in found if process.parent in by_pid]


def the_worker(agent: AgentProcess) -> Process:
    """Of an agent with one: the worker, when it is there."""
    return until(lambda: workers(agent), "there is a worker")[0][1]


def lives(process: Process) -> bool:
    now = processes.find(process.pid)
    return now is not None and not now.zombie and now.start == process.start


def is_stopped(process: Process) -> bool:
    now = processes.find(process.pid)
    return now is not None and now.start == process.start and now.stopped


def alive(pid: int) -> bool:
    found = processes.find(pid)
    return found is not None and not found.zombie


def pids_in(path: Path, count: int = 1) -> list[int]:
    """What processes wrote there, when that many whole lines are there."""

    def found() -> list[int] | None:
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        whole = [int(line) for line in lines if line.endswith("\n")]
        return whole if len(whole) >= count else None

    return until(found, f"{count} pids in {path.name}")


def log_of(agent: AgentProcess, run_id: str) -> list[str]:
    page = agent.call("GET", f"/api/runs/{run_id}/log?limit=1000")
    return [line["text"] for line in page["lines"]]


def _is_worker(pid: int) -> bool:
    try:
        return b"agent.workers.main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
