"""The keeper: parent of one worker, and sub-reaper of everything that the worker's runs ever start.

It never runs a driver's code, so it outlives what happens to the worker. Whatever is orphaned below it becomes its child:
when the worker is over and `waitpid` says that no child is left, that is the proof, exact and without any race.

Agent to keeper, one line each:
    c   KILL everything below the worker, leave the worker
    t   KILL the worker, TERM the rest
    k   KILL everything
    w   and a `Watch` as JSON: from now on look at what the worker's run takes
    u   look no more
Keeper to agent, one JSON line each: {"op": "exceeded", ...} when the run took more than it may, {"op": "unwatched"} in
answer to `u`, {"op": "lost", "status"} when the worker is over, {"op": "clear", "killed", "said"} at the end, with
the last of what was written to the worker's output and that it did not live to read, after which the keeper exits. If the agent is gone, the keeper ends everything by itself.

Memory beyond the limit is ended here and at once, whatever the agent does meanwhile: what is below the worker, or, if the
worker itself took it or it happens again, everything. Open files are only told.
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
from collections.abc import Sequence

from agent.workers import processes
from agent.workers.gauge import Breach, Watch, find_breach

ORPHANED_GRACE = 2.0
"""Seconds between TERM and KILL when the agent died."""
REST = 0.02
"""Seconds between two looks while something is being ended."""
WATCH = 2.0
"""Seconds between two looks at whether the agent still lives, in case somebody holds its end of the socket open."""
LOOK = 0.05
"""Seconds between two looks at what a run takes."""
LAST_WORDS = 16 * 1024
"""Bytes."""
LOOK_SHARE = 20
"""A look that takes long is followed by a rest of that many times its length."""


class Keeper:
    def __init__(self, worker: int, control: socket.socket, outputs: Sequence[int]) -> None:
        self._worker = worker
        self._control = control
        self._outputs = outputs
        self._agent = os.getppid()
        self._worker_left = True
        self._signal: int | None = None
        """What is sent to all that is left, until nothing is."""
        self._told: set[tuple[int, float]] = set()
        self._killed: set[tuple[int, float]] = set()
        self._kill_at: float | None = None
        self._said = b""
        """Of what the agent says: the beginning of a line."""
        self._watch: Watch | None = None
        self._told_of: set[str] = set()
        """Limits of the run that is watched that were exceeded."""
        self._look_at = 0.0

    def keep(self) -> None:
        """Watch until the worker is over and nothing that it left is alive; then say so."""
        wake, waker = socket.socketpair()
        for end in (wake, waker):
            end.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        heard = [self._control, wake]
        while self._reap():
            self._press()
            for ready in select.select(heard, [], [], self._rest())[0]:
                if ready is wake:
                    wake.recv(4096)
                elif not self._obey():
                    heard.remove(ready)
            self._look()
            if os.getppid() != self._agent:
                self._abandoned()
        self._say({"op": "clear", "killed": len(self._killed), "said": self._last_words()})

    def _last_words(self) -> list[str]:
        """Why it died, mostly: an assertion of C, the interpreter's own trace."""
        said = b""
        for output in self._outputs:
            while select.select([output], [], [], 0)[0] and (data := os.read(output, LAST_WORDS)):
                said = (said + data)[-LAST_WORDS:]
        return said.decode("utf-8", "replace").splitlines()

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

    def _rest(self) -> float:
        if self._signal is not None:
            return REST
        return WATCH if self._watch is None else min(WATCH, max(0.0, self._look_at - time.monotonic()))

    def _look(self) -> None:
        """At what the run takes, when it is time."""
        watch, begun = self._watch, time.monotonic()
        if watch is None or self._signal is not None or begun < self._look_at:
            return
        breach = find_breach(watch, self._worker, os.getpid())
        ended = time.monotonic()
        self._look_at = ended + max(LOOK, (ended - begun) * LOOK_SHARE)
        if breach is None:
            return
        # What was counted may be the next run's already: then the agent has said so before it handed that over.
        while select.select([self._control], [], [], 0)[0] and self._obey():
            pass
        if self._watch is watch and self._worker_left:
            self._exceeded(watch, breach)

    def _exceeded(self, watch: Watch, breach: Breach) -> None:
        again = breach.limit in self._told_of
        if not again:
            self._told_of.add(breach.limit)
            self._say({"op": "exceeded", "run": watch.run, **breach._asdict()})
        if breach.limit != "memory":
            return
        if breach.own or again:
            self._signal = signal.SIGKILL
        else:
            self._kill_below_worker()

    def _obey(self) -> bool:
        try:
            said = self._control.recv(4096)
        except OSError:
            said = b""
        if not said:
            self._abandoned()
            return False
        *lines, self._said = (self._said + said).split(b"\n")
        for line in lines:
            self._follow(line[:1], line[1:])
        return True

    def _follow(self, order: bytes, what: bytes) -> None:
        if order == b"c":
            self._kill_below_worker()
        elif order == b"t":
            self._signal = self._signal or signal.SIGTERM
        elif order == b"k":
            self._signal = signal.SIGKILL
        elif order == b"w":
            self._watch, self._look_at = Watch(**json.loads(what)), 0.0
            self._told_of.clear()
        elif order == b"u":
            self._watch = None
            self._say({"op": "unwatched"})

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


def keep(worker: int, control: socket.socket, outputs: Sequence[int]) -> None:
    """Be the keeper of `worker` until nothing is left of it. `outputs`: where what it writes can be read."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    Keeper(worker, control, outputs).keep()
    sys.stdout.flush()
