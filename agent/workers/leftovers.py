"""What a run's code left running, ended by the worker itself: it is the sub-reaper, so all of it are its children."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

from agent.workers import processes


def children_left() -> bool:
    """Collect the dead; True while a child lives, and so anything at all below this process."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True


def end_children(monotonic: Callable[[], float], grace: float) -> None:
    """TERM everything below this process, KILL it after `grace` seconds; returns when no child is left."""
    _stop_helpers()
    kill_at = monotonic() + grace
    told: set[tuple[int, float]] = set()
    rest = 0.001
    while children_left():
        for process in processes.descendants(os.getpid(), processes.table()):
            if monotonic() >= kill_at:
                processes.send(process, signal.SIGKILL)
            elif (process.pid, process.start) not in told:
                told.add((process.pid, process.start))
                processes.terminate(process)
        time.sleep(rest)
        rest = min(rest * 2, 0.05)


def _stop_helpers() -> None:
    """multiprocessing's own helpers ignore TERM and would cost the whole grace; they are started again when needed."""
    for name, attribute in (("resource_tracker", "_resource_tracker"), ("forkserver", "_forkserver")):
        helper = getattr(sys.modules.get(f"multiprocessing.{name}"), attribute, None)
        stop = getattr(helper, "_stop", None)
        if stop is not None:
            stop()
