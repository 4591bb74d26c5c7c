"""The agent dies without a word: nothing that its runs started lives on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.workers import processes
from tests.acceptance.workers.stage import Stage, alive, new_stage, pids_in, until


@dataclass
class Killable:
    process: subprocess.Popen[bytes]
    run_id: str
    workers: list[int]
    detached: int


@contextmanager
def _agent(folder: Path, how: str) -> Iterator[Killable]:
    pids = folder / "pids"
    command = [sys.executable, "-m", "tests.acceptance.workers.agent_to_kill", str(folder), str(pids), how]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as process:
        assert process.stdout is not None
        run_id, *workers = process.stdout.readline().decode().split()
        found = pids_in(pids, 1)
        assert found
        try:
            yield Killable(process, run_id, [int(pid) for pid in workers], found[0])
        finally:
            process.kill()


@pytest.mark.parametrize("how", ["bare", "marked"])
async def test_keepers_end_everything(tmp_path: Path, how: str) -> None:
    with _agent(tmp_path, how) as agent:
        everything = [*agent.workers, agent.detached]
        assert len(agent.workers) == 4
        assert all(alive(pid) for pid in everything)
        agent.process.send_signal(signal.SIGKILL)
        await until(lambda: not any(alive(pid) for pid in everything))


def _kill_all_but_the_detached(agent: Killable) -> None:
    for pid in agent.workers:
        os.kill(pid, signal.SIGSTOP)  # so that none of them can act on the death of another
    agent.process.send_signal(signal.SIGKILL)
    for pid in agent.workers:
        os.kill(pid, signal.SIGKILL)


async def test_the_next_agent_sweeps_what_escaped_by_the_runs_mark(tmp_path: Path) -> None:
    with _agent(tmp_path / "old", "marked") as agent:
        _kill_all_but_the_detached(agent)
        await until(lambda: not any(alive(pid) for pid in agent.workers))
        assert alive(agent.detached)
        stage = await _started(tmp_path / "elsewhere")
        await stage.executor.sweep(["some-other-run"])
        assert alive(agent.detached)
        await stage.executor.sweep([agent.run_id])
        assert not alive(agent.detached)
        await stage.executor.stop(0)


async def test_the_next_agent_sweeps_workers_of_the_one_before(tmp_path: Path) -> None:
    with _agent(tmp_path, "marked") as agent:
        for pid in agent.workers:
            os.kill(pid, signal.SIGSTOP)  # hung: they do not notice
        stage = await _started(tmp_path)
        await stage.executor.sweep([])
        assert all(alive(pid) for pid in agent.workers), "their agent still lives"
        agent.process.send_signal(signal.SIGKILL)
        agent.process.wait()
        run = await stage.give("obey")
        await stage.executor.sweep([])
        assert not any(alive(pid) for pid in [*agent.workers, agent.detached])
        assert run not in stage.endings, "the sweep hit a run of its own"
        await stage.executor.stop(0)


async def test_the_sweep_removes_the_folders_that_lost_runs_had(tmp_path: Path) -> None:
    stage = new_stage(tmp_path)
    folders = [tmp_path / "data" / "scratch" / run for run in ("lost", "someone-elses")]
    for folder in folders:
        (folder / "deep").mkdir(parents=True)
    await stage.executor.sweep(["lost", "never-used-its"])
    assert [folder.exists() for folder in folders] == [False, True]


async def _started(folder: Path) -> Stage:
    stage = new_stage(folder)
    await stage.executor.start(stage.on_event, stage.on_end)
    return stage


def test_a_signal_never_hits_a_later_process_with_the_same_pid() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        real = processes.find(sleeper.pid)
        assert real is not None
        earlier = real._replace(start=real.start - 1)
        assert not processes.send(earlier, signal.SIGKILL)
        assert alive(sleeper.pid)
        assert processes.send(real, signal.SIGKILL)
        assert sleeper.wait() == -signal.SIGKILL


def test_the_name_of_a_process_cannot_forge_its_parent(tmp_path: Path) -> None:
    odd = tmp_path / "x) R 1 1 ("
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([str(odd), "60"]) as sleeper:
        found = processes.find(sleeper.pid)
        assert found is not None
        assert found.parent == os.getpid()
        sleeper.kill()


async def test_children_of_the_agent_itself_are_left_alone(tmp_path: Path) -> None:
    """The agent is a sub-reaper too, and still gets the exit status of its own programs."""
    before = _zombies()
    stage = await _started(tmp_path)
    own = await asyncio.create_subprocess_exec("sh", "-c", "sleep 0.5; exit 7")
    run = await stage.give("stubborn", {"pids": str(tmp_path / "pids")}, kill_grace=0.1)
    await stage.ready(run)
    worker = processes.find(stage.executor.workers()[0].pid)
    assert worker is not None
    os.kill(worker.parent, signal.SIGKILL)
    await stage.ending(run)
    assert await own.wait() == 7
    await stage.executor.stop(0)
    assert _zombies() <= before, "zombies are left"


def _zombies() -> set[int]:
    return {p.pid for p in processes.table().values() if p.parent == os.getpid() and p.zombie}
