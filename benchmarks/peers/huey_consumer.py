"""A huey consumer in a process of its own, and callers of it: 2 workers (threads, its default), polls every millisecond.

Between the measurements of it the consumer is stopped: its polls would take from the machine what the other is measured on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COMMAND = [
    *("-m", "huey.bin.huey_consumer", "benchmarks.peers.huey_tasks.huey"),
    *("-w", "2", "-d", "0.001", "-m", "0.001", "-n", "-q"),
]
_POLL = 0.001


@dataclass(frozen=True, slots=True)
class Consumer:
    """Works only `at_work`."""

    task: Any
    _process: subprocess.Popen[bytes]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self._process.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGSTOP)


@contextmanager
def consumer(folder: Path) -> Iterator[Consumer]:
    """One that has executed its task `noop` once."""
    os.environ["BENCH_HUEY_FILE"] = str(folder / "huey.db")
    from benchmarks.peers.huey_tasks import noop

    process = subprocess.Popen([sys.executable, *_COMMAND])  # noqa: S603  (its own interpreter)
    one = Consumer(noop, process)
    try:
        with one.at_work():
            call(noop)
        yield one
    finally:
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        process.wait()


def call(task: Any) -> float:
    """Submit one and wait for its end; what it returned."""
    result = task()
    while (ended := result.get()) is None:
        time.sleep(_POLL)  # its callers' own way of waiting: it tells nobody of an end
    return float(ended)
