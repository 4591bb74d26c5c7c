"""What there is to see when something did not come about: of a failure on another machine, the output is all that is left.

What tests start is remembered here for as long as a test holds it (`remember`). Who waits in vain tells of all of it at
that moment (`tell_state`), and every failed test of what its agents have logged (`tell_logs`, by tests/conftest.py).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from agent.workers import processes
from agent.workers.processes import Process

PATIENCE = 120.0
"""Seconds, for whatever a test waits for: they are there for a broken program, and no measure of a sound one on a busy
machine."""
_AGENTS = 3
_RUNS = 20
_LOGGED = 4000
_RUN = "SELECT number, id, type, state, attempt, worker_id, done, total, error_message, warnings FROM runs"


class Started(Protocol):
    def tell(self) -> str:
        """Its state now."""


_started: WeakValueDictionary[int, Started] = WeakValueDictionary()
_logs: dict[int, Path] = {}


def remember(started: Started, log: Path | None = None) -> None:
    """`log`: the file that it logs in."""
    _started[id(started)] = started
    _logs[id(started)] = log or Path(os.devnull)


def tell_state() -> str:
    """The processes below this one, and what all that was started says."""
    return "\n".join(["processes:", *_processes(), *(started.tell() for started in _started.values())])


def tell_logs() -> str:
    """The end of what the last few agents have logged."""
    logs = {log for key in _started if (log := _logs[key]).is_file()}
    newest = sorted(logs, key=lambda log: log.stat().st_mtime)[-_AGENTS:]
    return "\n".join(f"{log}:\n{tail(log)}" for log in newest)


def tail(log: Path) -> str:
    return log.read_text(errors="replace")[-_LOGGED:] if log.exists() else ""


def tell_runs(store: Path) -> str:
    """The newest in that store, as they are there, whether or not its agent answers."""
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=10)) as reading:
            rows = reading.execute(f"{_RUN} ORDER BY number DESC LIMIT {_RUNS}").fetchall()
    except sqlite3.Error as error:
        rows = [error]
    return "\n  ".join([f"runs in {store}:", *map(str, rows)])


def _processes() -> Iterator[str]:
    for process in processes.family(os.getpid(), processes.table()):
        state = "stopped" if process.stopped else "over" if process.zombie else _state(process)
        yield f"  {process.pid} below {process.parent}: {state}: {_command(process)}"


def _state(process: Process) -> str:
    """What it waits for in the kernel, where that can be seen."""
    try:
        return Path(f"/proc/{process.pid}/wchan").read_text().strip("0") or "lives"
    except OSError:
        return "lives"


def _command(process: Process) -> str:
    try:
        words = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "?"
    return b" ".join(words).decode(errors="replace")[:160]
