"""What is written to this process's own output by code that knows nothing of the run, as lines of the run's log: by
programs that a driver starts, by libraries in C."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol

from agent.core.running.lines import Lines

ROOM = 1024 * 1024
"""Bytes that wait to be read, where the system can be told so. Who writes more waits; a library that does so while it has
the interpreter to itself waits for ever, for nobody else can read."""
CHUNK = 64 * 1024
GATHER = 0.03
"""Seconds for which what is written may wait for more."""
Pipe = tuple[int, int]
"""Where it is read, and where it is written."""
_BY_LINE = 1
"""`_IOLBF` of C."""


class Log(Protocol):
    def flush(self) -> None: ...

    def write_log(self, text: str, *, stream: str) -> None: ...


class Capture:
    """Standard output and standard error, from when this is made. What is said there when no run has them goes `aside`,
    where they led before, and so does what the worker itself prints."""

    def __init__(self, out: Pipe, error: Pipe) -> None:
        """Who else can read them hears what nobody here lived to read."""
        self.aside = open(os.dup(2), "w", buffering=1, errors="replace")  # noqa: PTH123, SIM115 (as long as the process)
        self._log: Log | None = None
        self._turn = threading.RLock()
        """To read, and to say whose it is. A driver's handler of signals may print while its thread reads."""
        self._pipes = {
            pipe.reading: pipe for pipe in (_Stream(1, out, self._tell_out), _Stream(2, error, self._tell_error))
        }
        sys.stdout = sys.stderr = self.aside
        _print_by_line()
        threading.Thread(target=self._read_always, name="jobdeck-output", daemon=True).start()

    def begin(self, log: Log) -> None:
        """After `end`, and a `drain` of what was written since."""
        with self._turn:
            self._log = log

    def end(self) -> None:
        with self._turn:
            self._read()
            for pipe in self._pipes.values():
                pipe.lines.finish()
            self._log = None
        for pipe in self._pipes.values():
            pipe.lead()

    def drain(self) -> int:
        """What was written until now is told before anything else is; how many bytes that were."""
        with self._turn:
            return self._read()

    def leave_to_parent(self) -> None:
        """In a copy of the process, which must not read what is the other's to read."""
        self._log, self._pipes = None, {}
        self._turn = threading.RLock()  # somebody who is not here may have had it

    def _read_always(self) -> None:
        """A moment later, and sent at once: who dies leaves the most in the pipes, where it is found."""
        read = 0
        while True:
            select.select(self._pipes, (), ())
            if read < CHUNK:
                time.sleep(GATHER)
            read = self.drain()
            log = self._log
            if log is not None:
                log.flush()

    def _read(self) -> int:
        """No more than fits in: who goes on writing keeps nobody here."""
        read = 0
        for _ in range(ROOM // CHUNK + 1 if self._pipes else 0):
            ready, _, _ = select.select(self._pipes, (), (), 0)
            if not ready:
                break
            for reading in ready:
                data = os.read(reading, CHUNK)
                read += len(data)
                self._pipes[reading].lines.feed(data)
        return read

    def _tell_out(self, line: str) -> None:
        self._tell(line, "stdout")

    def _tell_error(self, line: str) -> None:
        self._tell(line, "stderr")

    def _tell(self, line: str, stream: str) -> None:
        if self._log is None:
            self.aside.write(f"{line}\n")
        else:
            self._log.write_log(line, stream=stream)


class _Stream:
    """Where a descriptor leads, and who reads there."""

    def __init__(self, number: int, pipe: Pipe, tell: Callable[[str], None]) -> None:
        self.reading, self._writing = pipe
        self.lines = Lines(tell)
        self._number = number
        self._known = os.fstat(self._writing)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with contextlib.suppress(OSError):  # of a user there are only so many
                fcntl.fcntl(self.reading, fcntl.F_SETPIPE_SZ, ROOM)
        self.lead()

    def lead(self) -> None:
        """Unless it does: a run may have closed it, or led it elsewhere."""
        try:
            leads = os.path.samestat(os.fstat(self._number), self._known)
        except OSError:
            leads = False
        if not leads:
            os.dup2(self._writing, self._number)


def _print_by_line() -> None:
    """What C prints would wait in its library's buffer until another run's time."""
    library = ctypes.CDLL(None)
    for name in ("stdout", "__stdoutp"):
        with contextlib.suppress(ValueError):
            library.setvbuf(ctypes.c_void_p.in_dll(library, name), None, _BY_LINE, 0)
