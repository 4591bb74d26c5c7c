"""What a driver prints, as lines of its run's log."""

from __future__ import annotations

import io
import threading
from typing import Protocol, TextIO

from agent.core.running.lines import Lines


class _Log(Protocol):
    def log(self, text: str, *, stream: str) -> None: ...


class Printed(io.TextIOBase):
    """A text stream whose lines are log lines of the run that has the process. One for all runs: code that keeps the
    stream it found first, as a handler of `logging` does, writes to the log of whichever run it works for."""

    encoding, errors = "utf-8", "replace"

    def __init__(self, name: str, number: int, own: TextIO) -> None:
        """`name`: of the log's streams; `number`: the descriptor for who wants one. `own`: for what is said when no run
        has it."""
        self.buffer = open(number, "wb", buffering=0, closefd=False)  # noqa: SIM115 (as long as the process)
        self._name = name
        self._own = own
        self._log: _Log | None = None
        self._lines = Lines(self._tell)
        self._turn = threading.RLock()
        """Threads of a driver print at once."""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.buffer.fileno()

    def begin(self, log: _Log) -> None:
        self._log = log

    def print_through(self) -> None:
        """In a copy of the process, which has no log: as any program does."""
        self._log, self._turn = None, threading.RLock()
        self._own = open(self.buffer.fileno(), "w", 1, encoding=self.encoding, errors=self.errors, closefd=False)  # noqa: SIM115

    def end(self) -> None:
        """What was begun of a line is one."""
        with self._turn:
            self._lines.finish()
            self._log = None

    def write(self, text: str) -> int:
        if self._log is None:
            return self._own.write(text)
        with self._turn:
            self._lines.feed(text.encode("utf-8", "replace"))
        return len(text)

    def flush(self) -> None:
        """Of a run's lines one that was not ended waits for its end."""
        if self._log is None:
            self._own.flush()

    def close(self) -> None:
        """It is every run's: who closes it has printed all there is, and no more."""

    def _tell(self, line: str) -> None:
        if self._log is not None:
            self._log.log(line, stream=self._name)
