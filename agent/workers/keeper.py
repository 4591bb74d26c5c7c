"""The keeper: parent of one worker, and sub-reaper of everything that the worker's runs ever start.

It never runs a driver's code, so it outlives what happens to the worker. Whatever is orphaned below it becomes its child:
when the worker is over and `waitpid` says that no child is left, that is the proof, exact and without any race.

Agent to keeper, one byte each:
    c   KILL everything below the worker, leave the worker
    t   KILL the worker, TERM the rest
    k   KILL everything
Keeper to agent, one JSON line each: {"op": "lost", "status"} when the worker is over, {"op": "clear", "killed"} at the
end, after which the keeper exits. If the agent is gone, the keeper ends everything by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time

from agent.workers import processes

ORPHANED_GRACE = 2.0
"""Seconds between TERM and KILL when the agent died."""
REST = 0.02
"""Seconds between two looks while something is being ended."""
WATCH = 2.0
"""Seconds between two looks at whether the agent still lives, in case somebody holds its end of the socket open."""


class Keeper:
    def __init__(self, worker: int, control: socket.socket) -> None:
        self._worker = worker
        self._control = control
        self._agent = os.getppid()
        self._children_left = True
        self._worker_left = True
        self._signal: int | None = None
        """What is sent to all that is left, until nothing is."""
        self._told: set[tuple[int, float]] = set()
        self._killed: set[tuple[int, float]] = set()
        self._kill_at: float | None = None

    def keep(self) -> None:
        """Watch until the worker is over and nothing that it left is alive; then say so."""
        wake, waker = socket.socketpair()
        for end in (wake, waker):
            end.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        watched = [self._control, wake]
        while self._reap():
            self._press()
            rest = WATCH if self._signal is None else REST
            for ready in select.select(watched, [], [], rest)[0]:
                if ready is wake:
                    wake.recv(4096)
                elif not self._obey():
                    watched.remove(ready)
            if os.getppid() != self._agent:
                self._abandoned()
        self._say({"op": "clear", "killed": len(self._killed)})

    def _reap(self) -> bool:
        """Collect what died; False when there is no child left at all."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._worker:
                self._worker_left = False
                self._say({"op": "lost", "status": os.waitstatus_to_exitcode(status)})
                self._signal = self._signal or signal.SIGTERM

    def _press(self) -> None:
        """Send what is due to all that is left."""
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._signal = signal.SIGKILL
        if self._signal is None:
            return
        left = processes.descendants(os.getpid(), processes.table())
        if self._signal == signal.SIGKILL:
            self._kill(left)
            return
        self._kill([process for process in left if process.pid == self._worker])
        for process in left:
            if (process.pid, process.start) not in self._told and process.pid != self._worker:
                self._told.add((process.pid, process.start))
                processes.terminate(process)

    def _kill(self, left: list[processes.Process]) -> None:
        for process in left:
            if processes.send(process, signal.SIGKILL) and process.pid != self._worker:
                self._killed.add((process.pid, process.start))
        # One that forks faster than it is found is hit with its group, at one stroke. All groups below the keeper are of
        # its own making, for it leads a session of its own. Its own is spared, and the worker's while that may live on.
        spared = {0, os.getpgrp()} if self._signal == signal.SIGKILL else {0, os.getpgrp(), self._worker}
        for group in {process.group for process in left} - spared:
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGKILL)

    def _obey(self) -> bool:
        try:
            asked = self._control.recv(64)
        except OSError:
            asked = b""
        if not asked:
            self._abandoned()
            return False
        if b"c" in asked:
            self._kill_below_worker()
        if b"t" in asked:
            self._signal = self._signal or signal.SIGTERM
        if b"k" in asked:
            self._signal = signal.SIGKILL
        return True

    def _kill_below_worker(self) -> None:
        """Until none is left but the worker, for half a second at most: it may fork faster than it is killed."""
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            left = [p for p in processes.descendants(os.getpid(), processes.table()) if p.pid != self._worker]
            if not left:
                return
            self._kill(left)
            time.sleep(0.005)

    def _abandoned(self) -> None:
        if self._kill_at is None:
            self._signal = self._signal or signal.SIGTERM
            self._kill_at = time.monotonic() + ORPHANED_GRACE

    def _say(self, words: dict[str, object]) -> None:
        try:
            self._control.sendall(json.dumps(words).encode() + b"\n")
        except OSError:
            self._abandoned()


def keep(worker: int, control: socket.socket) -> None:
    """Be the keeper of `worker` until nothing is left of it."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    Keeper(worker, control).keep()
    sys.stdout.flush()
