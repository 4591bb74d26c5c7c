"""The core promise: a run is over only when nothing that it ever started is left."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from agent.workers import processes
from tests.acceptance.workers.stage import Stage, alive, pids_in, until


async def test_a_driver_that_obeys_ends_at_once(stage: Stage) -> None:
    run = await stage.give("obey", kill_grace=600)
    await stage.ready(run)
    stage.executor.cancel(run)
    ending = await stage.ending(run)
    assert ending.ended is not None
    assert ending.ended.outcome == "cancelled"


async def test_a_driver_that_does_not_look_is_interrupted_before_the_kill(stage: Stage) -> None:
    run = await stage.give("sleep_deaf", kill_grace=3)
    worker = stage.executor.workers()[0].pid
    await stage.ready(run)
    stage.executor.cancel(run)
    ending = await stage.ending(run)
    assert ending.ended is not None
    assert ending.ended.outcome == "cancelled"
    assert stage.executor.workers()[0].pid == worker, "the worker was killed"


@pytest.mark.parametrize("bare", [False, True])
async def test_kill_reaches_a_stubborn_driver_and_its_detached_grandchild(stage: Stage, bare: bool) -> None:
    pids = stage.folder / "pids"
    run = await stage.give("stubborn", {"pids": str(pids), "bare": bare}, kill_grace=1)
    worker = stage.executor.workers()[0].pid
    stage.watched = [worker, *(await until(lambda: pids_in(pids, 1)))]
    await stage.ready(run)
    asked = time.monotonic()
    stage.executor.cancel(run)
    ending = await stage.ending(run)
    assert ending.survivors == []
    assert ending.ended is not None
    assert ending.ended.outcome == "cancelled"
    assert ending.at - asked >= 1
    await until(stage.executor.idle_workers)
    assert stage.executor.workers()[0].pid != worker


@pytest.mark.parametrize(("bare", "grace"), [(False, 0.5), (True, 0.5), (True, 0)])
async def test_what_a_run_leaves_behind_is_ended_before_its_end(stage: Stage, bare: bool, grace: float) -> None:
    pids = stage.folder / "pids"
    run = await stage.give("detach", {"pids": str(pids), "bare": bare}, kill_grace=grace)
    stage.watched = await until(lambda: pids_in(pids, 1))
    ending = await stage.ending(run)
    assert ending.survivors == []
    assert ending.ended is not None
    assert ending.ended.outcome == "completed"


async def test_the_timeout_ends_a_run_as_failed(stage: Stage) -> None:
    ended = await stage.run("obey", timeout=0.3)
    assert ended.outcome == "failed"
    assert ended.error is not None
    assert (ended.error.kind, ended.error.transient) == ("timeout", False)
    assert len(ended.error.fingerprint) == 16


@pytest.mark.parametrize("bare", [False, True])
async def test_a_worker_that_dies_takes_its_runs_processes_along(stage: Stage, bare: bool) -> None:
    pids = stage.folder / "pids"
    run = await stage.give("stubborn", {"pids": str(pids), "bare": bare}, kill_grace=0.5)
    stage.watched = await until(lambda: pids_in(pids, 1))
    await stage.ready(run)
    os.kill(stage.executor.workers()[0].pid, signal.SIGKILL)
    ending = await stage.ending(run)
    assert ending.ended is None
    assert ending.survivors == []
    await until(stage.executor.idle_workers)


async def test_a_killed_keeper_does_not_let_anything_slip(stage: Stage) -> None:
    run, keeper = await _give_stubborn(stage)
    os.kill(keeper, signal.SIGKILL)
    ending = await stage.ending(run)
    assert ending.ended is None
    assert ending.survivors == []
    await until(stage.executor.idle_workers)


async def test_a_stopped_keeper_does_not_let_anything_slip(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.workers.keeper_link.KEEPER_PATIENCE", 0.5)
    run, keeper = await _give_stubborn(stage)
    os.kill(keeper, signal.SIGSTOP)
    stage.executor.cancel(run)
    ending = await stage.ending(run)
    assert ending.survivors == []
    assert ending.ended is not None
    assert ending.ended.outcome == "cancelled"


async def test_a_thread_left_behind_ends_with_its_worker(stage: Stage) -> None:
    run = await stage.give("leave_thread")
    stage.watched = [stage.executor.workers()[0].pid]
    ending = await stage.ending(run)
    assert ending.ended is not None
    assert ending.ended.outcome == "completed"
    assert ending.survivors == []


async def test_the_end_of_one_run_leaves_the_processes_of_another_alone(tmp_path: Path) -> None:
    from tests.acceptance.workers.stage import new_stage

    stage = new_stage(tmp_path, size=2)
    await stage.executor.start(stage.on_event, stage.on_end)
    pids = [tmp_path / "one", tmp_path / "two"]
    runs = [await stage.give("stubborn", {"pids": str(path), "bare": True}, kill_grace=0.2) for path in pids]
    first, second = [(await until(lambda path=path: pids_in(path, 1)))[0] for path in pids]
    for run in runs:
        await stage.ready(run)
    stage.executor.cancel(runs[0])
    await stage.ending(runs[0])
    assert not alive(first)
    assert alive(second)
    assert runs[1] not in stage.endings
    await stage.executor.stop(0)
    assert not alive(second)
    assert stage.endings[runs[1]].ended is None, "nobody cancelled it: it was cut short"


@pytest.mark.parametrize("how", ["group", "sessions"])
async def test_a_process_that_forks_to_get_away_is_caught(stage: Stage, how: str) -> None:
    last = stage.folder / "pid"
    run = await stage.give("run_away", {"how": how, "pid": str(last)}, kill_grace=0.5)
    await stage.ready(run)
    stage.executor.cancel(run)
    ending = await stage.ending(run)
    assert ending.ended is not None
    assert ending.ended.outcome == "cancelled"
    at_the_end = last.read_text()
    assert (await stage.run("nothing")).outcome == "completed"
    assert last.read_text() == at_the_end, "it still runs"


async def test_an_interruption_tears_no_line(stage: Stage) -> None:
    run = await stage.give("chatter", kill_grace=1)
    worker = stage.executor.workers()[0].pid
    await until(lambda: len(stage.log(run)) > 1000)
    stage.executor.cancel(run)
    ending = await stage.ending(run)
    assert ending.ended is not None
    assert ending.ended.outcome == "cancelled"
    lines = stage.log(run)
    assert [int(line.split()[0]) for line in lines] == list(range(len(lines)))
    assert (await stage.run("nothing")).outcome == "completed"
    assert stage.executor.workers()[0].pid == worker


async def test_a_worker_whose_keeper_died_gets_no_order(stage: Stage) -> None:
    await until(stage.executor.idle_workers)
    before = stage.executor.workers()[0]
    keeper = processes.find(before.pid)
    assert keeper is not None
    os.kill(keeper.parent, signal.SIGKILL)
    await until(lambda: [worker for worker in stage.executor.workers() if worker.id != before.id])
    assert not alive(before.pid)
    assert (await stage.run("nothing")).outcome == "completed"


async def _give_stubborn(stage: Stage) -> tuple[str, int]:
    """A run that heeds no TERM and has started somebody else who does not; and its worker's keeper."""
    pids = stage.folder / "pids"
    run = await stage.give("stubborn", {"pids": str(pids)}, kill_grace=0.5)
    worker = stage.executor.workers()[0].pid
    stage.watched = [worker, *(await until(lambda: pids_in(pids, 1)))]
    await stage.ready(run)
    found = processes.find(worker)
    assert found is not None
    return run, found.parent
