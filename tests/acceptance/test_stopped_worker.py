"""Workers that were stopped (SIGSTOP), deaf, or left by a dead agent: what moved on without them stays as it is."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from agent.resources.knowledge.file import FILE_NAME
from agent.resources.knowledge.lock import LOCK_NAME, writer_lock
from agent.workers import processes
from tests.acceptance.equipped.watching import (
    alive,
    create,
    equipped,
    equipped_agent,
    is_stopped,
    lives,
    log_of,
    pids_in,
    start,
    the_worker,
    workers,
)
from tests.acceptance.workers.stage import Stage, new_stage
from tests.contract.drivers import kb_victim
from tests.contract.drivers.kb_world import KbWorld, later
from tests.harness.agent_process import AgentProcess, until
from tests.harness.long import seed
from tests.harness.victim import Victim

_ROWS = 60
_BATCH = 10
_RETRY = {"attempts": 3, "backoff": "10 ms"}
_SYNC = {
    "source_table": "shop.orders",
    "knowledge_base": "orders_kb",
    "content_columns": ["product"],
    "filter_column": "changed",
    "batch_size": _BATCH,
}


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """With one worker and a lease that a busy machine keeps up, too."""
    folder = tmp_path_factory.mktemp("stopped")
    with equipped_agent(folder / "data", "--workers", "1", JOBDECK_LEASE="5 s") as running:
        make_shop(folder / "shop.db")
        running.call("POST", "/api/connections", {"name": "shop", "url": f"sqlite:///{folder}/shop.db"}, expect=201)
        yield running


def make_shop(path: Path) -> None:
    with closing(sqlite3.connect(path)) as shop:
        shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT, changed INTEGER)")
        shop.executemany("INSERT INTO orders VALUES (?, ?, ?)", [(n, f"lamp {n}", n) for n in range(_ROWS)])
        shop.commit()


@pytest.mark.parametrize("moment", ["before_batch", "in_transaction", "before_finish"])
def test_a_sync_that_was_stopped_past_its_lease(agent: AgentProcess, tmp_path: Path, moment: str) -> None:
    """It is over before its run is another's: its locks block nobody, and when it is told to go on there is nobody."""
    base = agent.call("POST", "/api/knowledge-bases", {"name": f"kb_{moment}"}, expect=201)
    data = {**_SYNC, "knowledge_base": base["name"], "moment": moment, "said": str(tmp_path / "said")}
    stopped = the_worker(agent)
    run = start(agent, moment, "stop-in-sync", data, retry=_RETRY)
    until(lambda: is_stopped(stopped), "the worker has stopped")
    file = agent.data_dir / "knowledge" / "default" / base["id"] / FILE_NAME
    assert _is_held(file) == (moment != "before_finish")
    assert _is_being_written(file) == (moment == "in_transaction")

    ended = agent.run_until(run, "completed", "failed")
    assert not lives(stopped)
    assert (ended["state"], ended["attempt"], ended["error"]) == ("completed", 2, None)
    with suppress(ProcessLookupError):
        os.kill(stopped.pid, signal.SIGCONT)
    assert _rows(file) == [(str(number), f"lamp {number}") for number in range(_ROWS)]
    assert agent.call("GET", f"/api/runs/{run}") == ended
    attempts = agent.call("GET", f"/api/runs/{run}/attempts")["items"]
    assert sorted((each["attempt"], each["outcome"]) for each in attempts) == [(1, "retrying"), (2, "completed")]
    said = log_of(agent, run)
    assert any("was stopped by a signal for longer than the lease of 5 s" in line for line in said)
    assert not any(line.startswith("waiting") for line in said), "the lock of the dead blocked the next attempt"


def test_an_idle_worker_that_was_stopped_gets_no_run(agent: AgentProcess) -> None:
    stopped = the_worker(agent)
    os.kill(stopped.pid, signal.SIGSTOP)
    until(lambda: the_worker(agent).pid != stopped.pid, "another one is there")
    assert not lives(stopped)
    agent.run_until(start(agent, "idle", "command", {"command": "true"}), "completed")


def test_a_stopped_keeper_is_replaced_with_its_worker(agent: AgentProcess) -> None:
    the_worker(agent)
    ((keeper, worker),) = workers(agent)
    os.kill(keeper.pid, signal.SIGSTOP)
    until(lambda: the_worker(agent).pid != worker.pid, "another one is there")
    assert not lives(keeper)
    assert not lives(worker)


async def test_an_order_that_waited_in_a_stopped_worker_past_its_lease_begins_nothing(tmp_path: Path) -> None:
    stage = new_stage(tmp_path)
    await stage.executor.start(stage.on_event, stage.on_end)
    worker_id, pid = await _idle(stage)
    os.kill(pid, signal.SIGSTOP)
    mark = tmp_path / "mark"
    over = datetime.now(UTC) + timedelta(seconds=0.2)
    order = stage.order("agent.drivers.command.run:run", {"command": f"touch {mark}"}, lease_until=over)
    stage.executor.execute(worker_id, order)
    until(lambda: datetime.now(UTC) > over, "the lease is over")
    os.kill(pid, signal.SIGCONT)
    ended = (await stage.ending(order.run_id)).ended
    await stage.executor.stop(0)
    assert ended is not None
    assert ended.error is not None
    assert (ended.error.kind, ended.error.transient) == ("lease_over", True)
    assert not mark.exists()


async def test_a_worker_bears_the_mark_of_its_run_where_others_see_it(tmp_path: Path) -> None:
    """Whoever takes a run on finds the process that has it, though the agent of that one lives and is none of his."""
    stage = new_stage(tmp_path)
    await stage.executor.start(stage.on_event, stage.on_end)
    _, pid = await _idle(stage)
    assert _marked_with(pid) == ""
    run = await stage.give("obey")
    await stage.ready(run)
    assert _marked_with(pid) == run
    assert pid in [process.pid for process in processes.marked([run], processes.table().values())]
    stage.executor.cancel(run)
    await stage.ending(run)
    assert _marked_with(pid) == ""
    await stage.executor.stop(0)


def test_an_attempt_that_wakes_up_after_a_later_one_writes_nothing(tmp_path: Path) -> None:
    """Nobody was there to end it: it gets the lock, and sees that it is too late."""
    world = KbWorld(tmp_path, f"sqlite:///{tmp_path}/source.db")
    world.create_orders()
    world.add(*range(20))
    with _waiting_for_the_lock(world) as (late, release):
        late.process.send_signal(signal.SIGSTOP)
        release()
        world.sync(world.context("run-late", attempt=2))
        world.add(100, at=later(60))
        before = world.query("SELECT * FROM rows ORDER BY id"), world.query("SELECT * FROM checkpoints")
        late.process.send_signal(signal.SIGCONT)
        assert late.end() == 1
        assert "attempt 2 of this run has written" in (tmp_path / "stderr").read_text()
    assert (world.query("SELECT * FROM rows ORDER BY id"), world.query("SELECT * FROM checkpoints")) == before
    world.sync()
    assert world.texts() == world.source_texts()


@contextmanager
def _waiting_for_the_lock(world: KbWorld) -> Iterator[tuple[Victim, Any]]:
    """Attempt 1 of `run-late` in a process of its own, which waits for the lock; and how the lock is given up."""
    context = world.context("run-before")
    held = writer_lock(world.base, context, "orders_kb")
    held.__enter__()
    with (world.folder / "stderr").open("wb") as stderr:
        late = kb_victim.start(world, "sync", "run-late", stderr=stderr)
    try:
        assert "waiting: job 'Job under test' (run run-before" in late.said.readline()
        yield late, lambda: held.__exit__(None, None, None)
    finally:
        late.process.kill()
        late.end()


def test_what_outlives_a_killed_agent_is_ended_by_the_next_one(tmp_path: Path) -> None:
    """A worker that is deaf and has lost its keeper; one that is stopped in the middle of a run and one that is stopped
    and idle, each with its keeper; and what both runs left detached, without a mark and deaf."""
    first = equipped(tmp_path / "data", "--workers", "3").start()
    assert first.process is not None
    try:
        deaf_run = start(first, "deaf", "be-deaf", {"pids": str(tmp_path / "deaf")}, on_lost="fail")
        stopped_run = start(
            first, "stopped", "wait", {"pids": str(tmp_path / "stopped")}, retry=_RETRY, kill_grace="0.5 s"
        )
        strays = [pids_in(tmp_path / name)[0] for name in ("deaf", "stopped")]
        until(lambda: len(workers(first)) == 3, "all workers are there")
        until(lambda: _is_deaf(first, deaf_run), "the deaf one is deaf")
        everything = workers(first)
        first.process.send_signal(signal.SIGSTOP)  # or it would see what comes now
        _bereave(everything, _worker_of(everything, deaf_run))
        first.kill()
        left = [worker for _, worker in everything]
        assert all(map(lives, left)), "they outlive their agent"
        assert all(map(alive, strays))
        with equipped_agent(tmp_path / "data", "--workers", "1", JOBDECK_STOP_GRACE="0 s") as second:
            assert not any(lives(process) for pair in everything for process in pair)
            assert not any(map(alive, strays))
            assert second.run_until(deaf_run, "failed", "completed")["error"]["kind"] == "lost"
            again = second.run_until(stopped_run, "running")
            assert again["attempt"] == 2
    finally:
        first.kill()


@pytest.mark.soak
def test_workers_stopped_at_any_moment_of_a_sync(tmp_path: Path) -> None:
    end = time.monotonic() + 60
    chance, shop = random.Random(seed("stops")), tmp_path / "shop.db"
    make_shop(shop)
    with equipped_agent(tmp_path / "data", "--workers", "2", JOBDECK_LEASE="1 s") as agent:
        agent.call("POST", "/api/connections", {"name": "shop", "url": f"sqlite:///{shop}"}, expect=201)
        base = agent.call("POST", "/api/knowledge-bases", {"name": "orders_kb"}, expect=201)
        job = create(agent, "sync", "kb-sync", _SYNC, retry={**_RETRY, "attempts": 100, "max_backoff": "10 ms"})
        while time.monotonic() < end:
            _trade(shop, chance)
            run = agent.call("POST", f"/api/jobs/{job['id']}")["id"]
            time.sleep(chance.uniform(0, 0.5))  # any moment, no waiting for a state
            pair = chance.choice(until(lambda: workers(agent), "there are workers"))
            victims = chance.sample(pair, 1 + chance.randrange(2))
            for victim in victims:
                processes.send(victim, signal.SIGSTOP)
            time.sleep(chance.uniform(0, 2))  # stopped for longer than a lease, or shorter
            for victim in victims:
                processes.send(victim, signal.SIGCONT)
            ended = agent.run_until(run, "completed", "failed", "cancelled")
            assert ended["state"] == "completed", ended["error"]
            _assert_in_turn(agent, run)
            file = agent.data_dir / "knowledge" / "default" / base["id"] / FILE_NAME
            with closing(sqlite3.connect(shop)) as source:
                wanted = source.execute("SELECT CAST(id AS TEXT), product FROM orders ORDER BY id").fetchall()
            assert _rows(file) == wanted


def _trade(shop: Path, chance: random.Random) -> None:
    """New rows and changed ones, each with a greater filter value than any before."""
    with closing(sqlite3.connect(shop)) as source:
        last, moment = source.execute("SELECT max(id), max(changed) FROM orders").fetchone()
        for number in range(chance.randrange(1, 200)):
            source.execute(
                "INSERT INTO orders VALUES (?, ?, ?)", (last + 1 + number, f"lamp {number}", moment + 1 + number)
            )
        for id_ in chance.sample(range(last), 20):
            product = f"changed {chance.random()}"
            source.execute("UPDATE orders SET product = ?, changed = ? WHERE id = ?", (product, moment + 500, id_))
        source.commit()


def _assert_in_turn(agent: AgentProcess, run_id: str) -> None:
    attempts = sorted(agent.call("GET", f"/api/runs/{run_id}/attempts")["items"], key=lambda each: each["claimedAt"])
    assert [each["attempt"] for each in attempts] == list(range(1, len(attempts) + 1))
    assert all(before["endedAt"] <= after["claimedAt"] for before, after in pairwise(attempts))


def _bereave(everything: list[tuple[processes.Process, processes.Process]], deaf: processes.Process) -> None:
    """Stop all but the deaf one, and kill the keeper of that one, which would end it."""
    for keeper, worker in everything:
        os.kill(keeper.pid, signal.SIGSTOP)
        if worker == deaf:
            os.kill(keeper.pid, signal.SIGKILL)
        else:
            os.kill(worker.pid, signal.SIGSTOP)


def _worker_of(everything: list[tuple[processes.Process, processes.Process]], run_id: str) -> processes.Process:
    return next(worker for _, worker in everything if _marked_with(worker.pid) == run_id)


def _is_deaf(agent: AgentProcess, run_id: str) -> bool:
    return bool(agent.call("GET", f"/api/runs/{run_id}")["progress"]["done"])


def _marked_with(pid: int) -> str:
    return processes.environment(pid).get(processes.RUN_MARK, "").strip()


async def _idle(stage: Stage) -> tuple[str, int]:
    from tests.acceptance.workers.stage import until as awaited

    await awaited(stage.executor.idle_workers)
    worker = stage.executor.workers()[0]
    return worker.id, worker.pid


def _is_held(file: Path) -> bool:
    with (file.parent / LOCK_NAME).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _is_being_written(file: Path) -> bool:
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as base:
        try:
            base.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        base.execute("ROLLBACK")
    return False


def _rows(file: Path) -> list[Any]:
    with closing(sqlite3.connect(file)) as base:
        found = base.execute("SELECT key, text FROM rows JOIN shares ON shares.id = rows.share WHERE state = 'live'")
        return sorted(found.fetchall(), key=lambda row: int(row[0]))
