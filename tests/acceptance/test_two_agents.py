"""Two agents and one store: a second one is turned away with directions; and where both work, nothing happens twice."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from agent.workers import processes
from shared.exits import Exit
from tests.acceptance.equipped.watching import alive, equipped, is_stopped, lives, pids_in, start, workers
from tests.acceptance.storm.jobs import Book
from tests.harness import warm_start
from tests.harness.agent_process import AgentProcess, until
from tests.harness.long import seed

_BOOKED = """
printf 'begin %s %s\\n' "$JOBDECK_RUN" "$JOBDECK_ATTEMPT" >> BOOK
sleep LASTS
printf 'end %s %s\\n' "$JOBDECK_RUN" "$JOBDECK_ATTEMPT" >> BOOK
"""
_EVERY_SECOND = {"intervalType": "simple", "interval": "1 second"}
_FIRES = 12
"""Ledger rows to wait for, of all jobs together."""
_LEASE = 10
"""Seconds, where none may be over on a busy machine."""


# -- a second agent ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("maintenance", [False, True], ids=["at work", "in maintenance"])
def test_a_second_agent_is_told_who_holds_the_store_and_what_to_do(tmp_path: Path, maintenance: bool) -> None:
    folder = tmp_path / "data"
    flags = ("--maintenance",) if maintenance else ("--workers", "1")
    agent = AgentProcess(folder, *flags)
    agent.spawn()
    assert agent.process is not None
    try:
        pid = agent.process.pid
        until(agent.socket.exists, "it answers")
        running = _refused(folder)
        agent.process.send_signal(signal.SIGSTOP)
        until(lambda: (now := processes.find(pid)) and now.stopped, "it has stopped")
        stopped = _refused(folder)
        by_link = _refused(_linked(folder, tmp_path / "other"))
        agent.process.send_signal(signal.SIGCONT)
        since = json.loads((folder / "jobdeck.db.lock").read_text())["started"]
        assert agent.stop() == 0
    finally:
        agent.kill()
    who = "another agent, in maintenance, holds this store" if maintenance else "another agent works on this store"
    for said in (running, stopped, by_link):
        assert said.startswith(f"jobdeck: {who}: pid {pid} on "), said
        assert since in said
        assert "or give this one another --data-dir" in said
    assert f"it is running; stop it first (`kill {pid}`, or its service)" in running
    assert "it is stopped (by SIGSTOP or Ctrl-Z) and keeps the store all the same" in stopped
    assert f"`kill -CONT {pid}` lets it go on, `kill -KILL {pid}` ends it" in stopped
    assert by_link == stopped, "the same file, reached by another way"


def test_a_second_agent_lets_the_first_one_work_although_the_lock_was_deleted(tmp_path: Path) -> None:
    """To it, the runs and workers of the first look like what a dead agent left."""
    folder, go = tmp_path / "data", tmp_path / "go"
    agent = AgentProcess(folder, "--workers", "1").start()
    try:
        data = {"command": f"while [ ! -e {go} ]; do sleep 0.02; done"}
        job = agent.call("POST", "/api/jobs", {"name": "long", "type": "command", "data": data})
        run = agent.call("POST", f"/api/jobs/{job['id']}")
        agent.run_until(run["id"], "running")
        (folder / "jobdeck.db.lock").unlink()
        second = warm_start.run(["agent", "--data-dir", str(folder), "--bind", "127.0.0.1:0"])
        assert (second.returncode, "which named it, was deleted" in second.stderr) == (Exit.CONFLICT, True), (
            second.stderr
        )
        assert f"`fuser {folder}` tells its pid" in second.stderr
        told = warm_start.run(["doctor", "--data-dir", str(folder)]).stdout
        assert "jobdeck.db.lock, which names the agent, was deleted or replaced" in told
        go.touch()
        ended = agent.run_until(run["id"], "completed", "failed", "retrying")
        assert (ended["state"], ended["attempt"]) == ("completed", 1)
    finally:
        agent.kill()


def test_of_two_agents_that_start_at_once_one_is_turned_away_although_the_lock_was_deleted(tmp_path: Path) -> None:
    """Neither of them listens yet, and both would find the runs of the one before them without a worker."""
    folder, log = tmp_path / "data", tmp_path / "said"
    data = {"command": f"echo $JOBDECK_ATTEMPT >> {log}; [ $JOBDECK_ATTEMPT = 2 ] || exec sleep 600"}
    policies = {"on_lost": "retry", "retry": {"attempts": 5, "backoff": "10 ms"}}
    agent = AgentProcess(folder, "--workers", "1").start()
    try:
        job = agent.call("POST", "/api/jobs", {"name": "long", "type": "command", "data": data, "policies": policies})
        run = agent.call("POST", f"/api/jobs/{job['id']}")
        until(log.exists, "it runs")
        agent.kill()
        lock = folder / "jobdeck.db.lock"
        lock.unlink()
        agent.spawn()
        assert agent.process is not None
        until(lambda: lock.exists() and str(agent.process.pid) in lock.read_text(), "it has the lock")  # type: ignore[union-attr]
        agent.process.send_signal(signal.SIGSTOP)
        lock.unlink()
        second = warm_start.run(["agent", "--data-dir", str(folder), "--bind", "127.0.0.1:0"])
        assert second.returncode == Exit.CONFLICT, second.stderr
        agent.process.send_signal(signal.SIGCONT)
        agent.wait_ready()
        assert agent.run_until(run["id"], "completed", "failed")["attempt"] == 2
    finally:
        agent.kill()
    assert log.read_text().split() == ["1", "2"]


def _refused(folder: Path) -> str:
    second = warm_start.run(["agent", "--data-dir", str(folder), "--bind", "127.0.0.1:0"])
    assert second.returncode == Exit.CONFLICT
    assert second.stderr.count("\n") == 1, second.stderr
    return second.stderr


# -- two at work -------------------------------------------------------------------------------------------------------


def test_two_agents_fire_claim_and_finish_everything_once(tmp_path: Path) -> None:
    book, go = Book(tmp_path / "book"), tmp_path / "go"
    with _two(tmp_path, JOBDECK_LEASE=f"{_LEASE} s") as (first, second):
        lasting = _program(book, f"0; until [ -e {go} ]; do sleep 0.1; done")
        long = [start(each, f"long {n}", "command", lasting) for n, each in enumerate((first, second))]
        jobs = [
            _publish(each, book, f"{overlap} {n}", overlap)
            for n, each in enumerate((first, second))
            for overlap in ("allow", "queue_all", "skip")
        ]
        until(lambda: len(_rows(first, "fires")) >= _FIRES, "enough has fired")
        for job in jobs:
            second.call("POST", f"/api/jobs/{job['id']}/_pause")
        until(lambda: all(_is_leased_on(first, run) for run in long), "their leases are kept up")
        go.touch()
        for run in long:
            ended = first.run_until(run, "completed", "failed")
            assert (ended["state"], ended["attempt"]) == ("completed", 1)
        until(lambda: _is_quiet(first), "all is over")
        agents = Counter(run["agent_id"] for run in _rows(first, "runs"))
        assert len(agents) == 2, f"one of them did it all: {agents}"
    _assert_once(first, book)
    assert _rows(first, "late_results") == []


def test_an_agent_that_was_stopped_past_its_leases_changes_nothing_when_it_goes_on(tmp_path: Path) -> None:
    """Its runs are taken on by the other, after what it had of them is gone. What it says of them then is kept beside."""
    book = Book(tmp_path / "book")
    retry = {"attempts": 2, "backoff": "10 ms"}
    with _two(tmp_path, JOBDECK_LEASE="2 s") as (first, second):
        program = _program(book, "$((JOBDECK_ATTEMPT == 1 ? 1000 : 0))")
        assert second.process is not None
        resting = processes.find(second.process.pid)
        assert resting is not None
        until(lambda: _stop_at_rest(second, resting), "it rests")
        slept = start(first, "slept", "command", program, on_lost="retry", retry=retry)
        waited = start(first, "waited", "wait", {"pids": str(tmp_path / "pids")}, retry={"attempts": 1})
        until(lambda: _has(first) == {slept, waited} and book.begun(), "the first one has both")
        stray = pids_in(tmp_path / "pids")[0]
        frozen = _freeze(first)
        second.process.send_signal(signal.SIGCONT)
        taken = second.run_until(slept, "completed", "failed")
        lost = second.run_until(waited, "failed")
        left = [process for process in frozen if _bears(process) in (slept, waited) and lives(process)]
        assert left == [], "all that it had of the two was gone before"
        assert not alive(stray), "what it had left without a mark as well"
        for process in frozen:
            processes.send(process, signal.SIGCONT)
        late = until(
            lambda: (found := _rows(first, "late_results")) and len(found) == 2 and found, "its words are kept"
        )
        for run in (taken, lost):
            assert second.call("GET", f"/api/runs/{run['id']}") == run
        evidence = first.call("GET", f"/api/runs/{slept}/attempts")["items"]
    assert (taken["state"], taken["attempt"]) == ("completed", 2)
    assert lost["error"]["kind"] == "lost"
    assert [each["attempt"] for each in late] == [1, 1]
    assert [each["attempt"] for each in evidence if each["evidence"]] == [1]
    _assert_once(first, book)
    assert book.ended() == {(slept, 2): 1}


@pytest.mark.soak
def test_two_agents_that_are_stopped_and_killed_in_turns(tmp_path: Path) -> None:
    end = time.monotonic() + 60
    chance, book = random.Random(seed("two agents")), Book(tmp_path / "book")
    retry = {"attempts": 100, "backoff": "50 ms", "max_backoff": "50 ms"}
    with _two(tmp_path, JOBDECK_LEASE="2 s") as agents:
        jobs = [
            _publish(each, book, f"{overlap} {n}", overlap, on_lost="retry", retry=retry)
            for n, each in enumerate(agents)
            for overlap in ("allow", "queue_all", "skip")
        ]
        while time.monotonic() < end:
            time.sleep(chance.uniform(0, 2))  # the storm itself, no waiting for a state
            _afflict(chance.choice(agents), chance)
        for job in jobs:
            agents[0].call("POST", f"/api/jobs/{job['id']}/_pause")
        until(lambda: _is_quiet(agents[0]), "all is over", deadline=300)
    _assert_once(agents[0], book)


def _afflict(agent: AgentProcess, chance: random.Random) -> None:
    """Stop it and all its processes for longer than a lease or shorter; or kill it."""
    if chance.random() < 0.3:
        agent.kill()
        time.sleep(chance.uniform(0, 4))  # dead for that long
        agent.start()
        return
    frozen = _freeze(agent)
    time.sleep(chance.uniform(0, 6))  # stopped for that long
    for process in frozen:
        processes.send(process, signal.SIGCONT)


@contextmanager
def _two(tmp_path: Path, **env: str) -> Iterator[tuple[AgentProcess, AgentProcess]]:
    """Two agents on one store, each with a folder of its own; the lock that forbids it is off."""
    settings = {"JOBDECK_TEST_NO_LOCK": "1", "JOBDECK_LEASE": "3 s", "JOBDECK_STOP_GRACE": "0 s", **env}
    first = equipped(tmp_path / "first", "--workers", "2", **settings).start()
    second = equipped(_linked(first.data_dir, tmp_path / "second"), "--workers", "2", **settings)
    try:
        second.start()
        yield first, second
        assert second.stop() == 0
        assert first.stop() == 0
    finally:
        for each in (first, second):
            if each.process is not None:
                with suppress(ProcessLookupError):
                    each.kill()


def _linked(folder: Path, other: Path) -> Path:
    other.mkdir(mode=0o700)
    for name in ("jobdeck.db", "knowledge", "secrets.key"):
        (other / name).symlink_to(folder / name)
    return other


def _program(book: Book, lasts: str) -> dict[str, Any]:
    return {"command": _BOOKED.replace("BOOK", str(book.path)).replace("LASTS", lasts)}


def _publish(agent: AgentProcess, book: Book, name: str, overlap: str, **policies: Any) -> dict[str, Any]:
    policies = {"overlap": overlap, **policies}
    job = {"name": name, "type": "command", "data": _program(book, "0.1"), "policies": policies}
    published: dict[str, Any] = agent.call("POST", "/api/jobs", {**job, **_EVERY_SECOND}, expect=201)
    return published


def _rows(agent: AgentProcess, table: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(f"file:{agent.data_dir}/jobdeck.db?mode=ro", uri=True, timeout=10)) as store:
        store.row_factory = sqlite3.Row
        return [dict(row) for row in store.execute(f"SELECT * FROM {table} ORDER BY rowid")]


def _is_quiet(agent: AgentProcess) -> bool:
    return all(run["finished_at"] is not None for run in _rows(agent, "runs"))


def _is_leased_on(agent: AgentProcess, run_id: str) -> bool:
    """For longer than it was when the run began."""
    [run] = [row for row in _rows(agent, "runs") if row["id"] == run_id]
    return run["started_at"] is not None and run["lease_until"] > run["started_at"] + _LEASE * 1_000_000


def _has(agent: AgentProcess) -> set[str]:
    """The runs whose marks the agent's workers bear."""
    return {_bears(worker) for _, worker in workers(agent)} - {""}


def _bears(process: processes.Process) -> str:
    return processes.environment(process.pid).get(processes.RUN_MARK, "").strip()


def _freeze(agent: AgentProcess) -> list[processes.Process]:
    """Stop the agent, then everything below it; not while it writes to the store, for nobody else could then, which is
    why the lock is there."""
    assert agent.process is not None
    own = processes.find(agent.process.pid)
    assert own is not None
    until(lambda: _stop_at_rest(agent, own), "it rests")
    below = processes.descendants(own.pid, processes.table())
    for process in below:
        processes.send(process, signal.SIGSTOP)
    return [own, *below]


def _stop_at_rest(agent: AgentProcess, own: processes.Process) -> bool:
    processes.send(own, signal.SIGSTOP)
    until(lambda: is_stopped(own), "it has stopped")
    with closing(sqlite3.connect(agent.data_dir / "jobdeck.db", timeout=0, isolation_level=None)) as store:
        try:
            store.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            processes.send(own, signal.SIGCONT)
            return False
        store.execute("ROLLBACK")
    return True


def _assert_once(agent: AgentProcess, book: Book) -> None:
    """Every fire has one row and one run; every attempt ran once; and never two of a run, or of a job that queues, at once."""
    jobs = {job["number"]: job for job in _rows(agent, "jobs")}
    fires, runs = (_rows(agent, table) for table in ("fires", "runs"))
    assert set(Counter((fire["job_number"], fire["fire_at"]) for fire in fires).values()) <= {1}
    for number in jobs:
        moments = sorted(
            fire["fire_at"] for fire in fires if fire["job_number"] == number and fire["outcome"] != "paused"
        )
        assert all(after - before == 1_000_000 for before, after in pairwise(moments)), "a moment has no row"
    started = Counter(fire["run_id"] for fire in fires if fire["outcome"] == "started")
    assert set(started.values()) <= {1}
    assert set(started) == {run["id"] for run in runs if run["cause"] != "api" and run["cause"] != "manual"}
    assert set(book.begun().values()) == {1}, "an attempt ran twice"
    # What the programs wrote, and not when a run was claimed: who waits for the other's commit claims as of before it.
    of_run = {run["id"]: run["job_number"] for run in runs}
    under_way: set[Any] = set()
    through = book.ended()
    for said, run_id, attempt in book.lines():
        if (run_id, attempt) not in through:
            continue  # ended by KILL: it wrote no end
        queues = not jobs[of_run[run_id]]["name"].startswith("allow")
        turn = of_run[run_id] if queues else run_id
        assert said == "end" or turn not in under_way, "side by side"
        (under_way.add if said == "begin" else under_way.discard)(turn)
