"""Who reads what the agent says: the thread that executes while it has nothing to do, a second one beside a long run."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from typing import NoReturn

import pytest

from agent.workers.hearing import Hearing

DEADLINE = 60.0


class _Worker:
    """Lines that begin with `run` are to be executed, others are only heard."""

    def __init__(self, link: socket.socket) -> None:
        self.heard: list[tuple[str, str]] = []
        """Each word, and the name of the thread that read it."""
        self.changed = threading.Condition()
        self.lasting = threading.Event()
        self.alone = threading.Event()
        self.hearing = Hearing[str](link, obey=self._obey, lasts=self.lasting.set, lost=self._lost)

    def wait_for(self, word: str) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: any(said == word for said, _ in self.heard), DEADLINE), self.heard

    def _obey(self, line: bytes) -> None:
        word = line.decode()
        if word.startswith("run"):
            self.hearing.put(word)
        with self.changed:
            self.heard.append((word, threading.current_thread().name))
            self.changed.notify_all()

    def _lost(self) -> NoReturn:
        self.alone.set()
        while True:
            threading.Event().wait()  # in its place the process would end


@pytest.fixture
def ends() -> Iterator[tuple[_Worker, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        worker = _Worker(ours)
        yield worker, theirs
        theirs.close()


def test_an_idle_worker_hears_its_order_in_the_thread_that_executes(ends: tuple[_Worker, socket.socket]) -> None:
    worker, agent = ends
    agent.sendall(b"word\nrun 1\n")
    assert worker.hearing.next() == "run 1"
    here = threading.current_thread().name
    assert worker.heard == [("word", here), ("run 1", here)]


def test_lines_may_come_in_pieces(ends: tuple[_Worker, socket.socket]) -> None:
    worker, agent = ends
    for piece in (b"ru", b"n", b" 1\nrun", b" 2\n"):
        agent.sendall(piece)
    long = b"run " + b"x" * 300_000
    sending = threading.Thread(target=agent.sendall, args=[long + b"\n"])
    sending.start()
    assert [worker.hearing.next() for _ in range(3)] == ["run 1", "run 2", long.decode()]
    sending.join()


def test_beside_a_run_that_lasts_another_thread_hears(ends: tuple[_Worker, socket.socket]) -> None:
    worker, agent = ends
    agent.sendall(b"run 1\n")
    worker.hearing.next()
    agent.sendall(b"cancel 1\n")
    worker.wait_for("cancel 1")
    assert worker.heard[-1] == ("cancel 1", "jobdeck-orders")
    assert worker.lasting.is_set(), "who has something to say of a run that lasts is asked to"


def test_a_run_that_begins_when_nobody_looks_any_more_is_met(
    ends: tuple[_Worker, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, agent = ends
    monkeypatch.setattr("agent.workers.hearing.LOOKS", 1)
    monkeypatch.setattr("agent.workers.hearing.LOOK", 0.0005)
    for number in range(100):
        agent.sendall(b"run\n")
        worker.hearing.next()
        agent.sendall(f"word {number}\n".encode())
        worker.wait_for(f"word {number}")


def test_what_was_said_is_heard_before_the_next_run_begins(
    ends: tuple[_Worker, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.workers.hearing.HEED", 0.0)
    worker, agent = ends
    agent.sendall(b"run 1\nrun 2\n")
    assert worker.hearing.next() == "run 1"
    agent.sendall(b"recall 2\n")
    assert worker.hearing.next() == "run 2"
    assert "recall 2" in [word for word, _ in worker.heard]


def test_after_a_long_run_no_order_is_left_waiting(ends: tuple[_Worker, socket.socket]) -> None:
    """The other thread has the turn when the run ends, and has read orders beside it."""
    worker, agent = ends
    for number in range(20):
        agent.sendall(b"run long\n")
        assert worker.hearing.next() == "run long"
        agent.sendall(f"word {number}\n".encode())
        worker.wait_for(f"word {number}")
        if number % 2:
            agent.sendall(b"run a\nrun b\n")
            assert [worker.hearing.next(), worker.hearing.next()] == ["run a", "run b"]


@pytest.mark.parametrize("seed", range(4))
def test_every_order_is_executed_once_and_in_turn_however_threads_meet(seed: int) -> None:
    rng = random.Random(seed)
    ours, theirs = socket.socketpair()
    done: list[str] = []
    finished = threading.Semaphore(0)
    with ours, theirs, pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.workers.hearing.LOOK", 0.0001)
        worker = _Worker(ours)

        def execute() -> None:
            pause = threading.Event()
            while (work := worker.hearing.next()) != "run last":
                if rng.random() < 0.3:
                    pause.wait(rng.random() * 0.001)  # a run that takes this long
                done.append(work)
                finished.release()

        executing = threading.Thread(target=execute, daemon=True)
        executing.start()
        orders = [f"run {number}" for number in range(2000)]
        left = list(orders)
        while left:
            count = rng.choice((1, 1, 1, 2, 16))
            some, left = left[:count], left[count:]
            theirs.sendall("".join(f"{each}\nword\n" for each in some).encode())
            for _ in some:
                assert finished.acquire(timeout=DEADLINE), f"stuck after {len(done)}"
        theirs.sendall(b"run last\n")
        executing.join(DEADLINE)
        assert done == orders


def test_whoever_reads_when_the_agent_goes_says_so(ends: tuple[_Worker, socket.socket]) -> None:
    worker, agent = ends
    agent.sendall(b"run 1\n")
    worker.hearing.next()
    agent.close()
    assert worker.alone.wait(DEADLINE)
