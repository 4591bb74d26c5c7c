"""Runs of all sorts, cancelled and killed at any moment: every one ends once, and none leaves anything alive."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from agent.core.wire import Ended, Order, RunMessage
from agent.workers import processes
from tests.acceptance.workers.stage import Stage, alive, new_stage, until, worker_processes
from tests.harness.long import seed

_SECONDS = 6.0
_LONG_SECONDS = 120.0
_RUNS = 4
"""So many at least: fewer would be no chaos. A machine that is slow takes longer for them."""
_SORTS = ["nothing", "obey", "sleep_deaf", "stubborn", "detach", "leave_thread", "die", "fail", "flood", "command"]
_TREE = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
time.sleep(60)
"""


def _some_order(stage: Stage, chance: random.Random) -> Order:
    sort = chance.choice(_SORTS)
    order = stage.order(sort, kill_grace=chance.choice([0, 0.1, 0.3]), timeout=chance.choice([0.2, 5]))
    pids = str(_pids(stage, order.run_id))
    if sort == "command":
        data = {"command": [sys.executable, "-c", _TREE, pids]}
        return order.model_copy(update={"entry": "agent.drivers.command.run:run", "data": data})
    order.data.update({"pids": pids, "bare": chance.random() < 0.5, "count": 10_000})
    return order


def _pids(stage: Stage, run_id: str) -> Path:
    return stage.folder / f"{run_id}.pids"


def _survivors(stage: Stage, run_id: str) -> list[int]:
    path = _pids(stage, run_id)
    written = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [int(pid) for pid in written if pid.endswith("\n") and alive(int(pid))]


async def test_whatever_happens_every_run_ends_once_and_leaves_nothing(tmp_path: Path) -> None:
    await _go_through_chaos(tmp_path, random.Random(20260329), _SECONDS)


@pytest.mark.soak
async def test_long_chaos_of_another_kind_each_time(tmp_path: Path) -> None:
    await _go_through_chaos(tmp_path, random.Random(seed("chaos")), _LONG_SECONDS)


async def _go_through_chaos(tmp_path: Path, chance: random.Random, seconds: float) -> None:
    """For as long, and as many runs: each ends once, and leaves nothing."""
    strangers = _below()  # a database server of other tests, say
    stage = new_stage(tmp_path, size=4, recycle_after=5)
    given: list[str] = []
    survivors: dict[str, list[int]] = {}
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds

    def goes_on() -> bool:
        return loop.time() < end or len(given) < _RUNS

    async def on_end(worker_id: str, ended: Ended | None, message: RunMessage) -> None:
        if left := _survivors(stage, message.run_id):
            survivors[message.run_id] = left
        await stage.on_end(worker_id, ended, message)

    def give() -> None:
        for worker in stage.executor.idle_workers() if goes_on() else []:
            order = _some_order(stage, chance)
            given.append(order.run_id)
            stage.executor.execute(worker, order)
            loop.call_later(chance.random() * 0.6, stage.executor.cancel, order.run_id)

    stage.executor.on_idle(give)
    await stage.executor.start(stage.on_event, on_end)
    while goes_on():
        await asyncio.sleep(chance.random() * 0.4)  # the chaos itself, no waiting for a state
        if not any(worker.state in ("idle", "busy") for worker in stage.executor.workers()):
            continue  # a slow machine is given the time to start one; else it would come to ever longer pauses only
        if victims := worker_processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(victims), signal.SIGKILL)
    await until(lambda: len(stage.endings) == len(given))
    await stage.executor.stop(0)
    assert survivors == {}
    assert not _below() - strangers


def _below() -> set[int]:
    """Every process below this one."""
    return {process.pid for process in processes.descendants(os.getpid(), processes.table())}
