"""Whether a worker still moves. One that was stopped (SIGSTOP) says nothing, holds what it holds, and never ends."""

from __future__ import annotations

from collections.abc import Iterable

from agent.workers import processes
from agent.workers.processes import Process


class Pulse:
    """Felt now and then; what happens between two looks is not seen."""

    def __init__(self) -> None:
        self._stopped_since: float | None = None

    @property
    def beats(self) -> bool:
        return self._stopped_since is None

    def feel(self, members: Iterable[Process | None], now: float) -> float:
        """Seconds since one of these processes was first found stopped, all looks since; 0 if none is."""
        if not any(member is not None and is_stopped(member) for member in members):
            self._stopped_since = None
            return 0.0
        if self._stopped_since is None:
            self._stopped_since = now
        return now - self._stopped_since


def is_stopped(process: Process) -> bool:
    found = processes.find(process.pid)
    return found is not None and found.start == process.start and found.stopped
