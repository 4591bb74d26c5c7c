"""What a driver prints, as lines of its run's log."""

from __future__ import annotations

import io
from typing import Protocol, TextIO


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
        self._rest = ""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.buffer.fileno()

    def begin(self, log: _Log) -> None:
        self._log = log

    def print_through(self) -> None:
        """In a copy of the process, which has no log: as any program does."""
        self._log = None
        self._own = open(self.buffer.fileno(), "w", 1, encoding=self.encoding, errors=self.errors, closefd=False)  # noqa: SIM115

    def end(self) -> None:
        """What was begun of a line is one."""
        log, self._log = self._log, None
        rest, self._rest = self._rest, ""
        if rest and log is not None:
            log.log(rest, stream=self._name)

    def write(self, text: str) -> int:
        log = self._log
        if log is None:
            return self._own.write(text)
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            log.log(line, stream=self._name)
        return len(text)

    def flush(self) -> None:
        """Of a run's lines one that was not ended waits for its end."""
        if self._log is None:
            self._own.flush()

    def close(self) -> None:
        """It is every run's: who closes it has printed all there is, and no more."""
