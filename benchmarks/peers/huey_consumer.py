"""A huey consumer in a process of its own, and callers of it: 2 workers (threads, its default), polls every millisecond."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_COMMAND = [
    *("-m", "huey.bin.huey_consumer", "benchmarks.peers.huey_tasks.huey"),
    *("-w", "2", "-d", "0.001", "-m", "0.001", "-n", "-q"),
]
_POLL = 0.001


@contextmanager
def consumer(folder: Path) -> Iterator[Any]:
    """The task `noop`, with somebody there who executes it."""
    os.environ["BENCH_HUEY_FILE"] = str(folder / "huey.db")
    from benchmarks.peers.huey_tasks import noop

    process = subprocess.Popen([sys.executable, *_COMMAND])  # noqa: S603  (its own interpreter)
    try:
        call(noop)
        yield noop
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def call(task: Any) -> float:
    """Submit one and wait for its end; what it returned."""
    result = task()
    while (ended := result.get()) is None:
        time.sleep(_POLL)  # its callers' own way of waiting: it tells nobody of an end
    return float(ended)
