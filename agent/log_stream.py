"""Where the agent's own log goes. Whatever becomes of it (a full disk, a pipe that nobody reads), the agent goes on."""

from __future__ import annotations

import atexit
import os
import select
import stat
from collections import deque

KEPT = 256 * 1024
"""Bytes that wait while nothing can be written; what comes beyond them is dropped, and counted."""
LAST_PATIENCE = 1.0
"""Seconds that a reader has for the last lines when the agent ends."""
_PIECE = select.PIPE_BUF
"""Bytes for which a pipe that calls itself ready has room."""


class LogStream:
    """Text onto a file descriptor, neither failing nor waiting. What cannot be written is kept and comes before the
    next; of what was dropped, a line tells how many there were."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._waits = not stat.S_ISREG(os.fstat(file).st_mode)
        self._kept: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0
        atexit.register(self._drain, LAST_PATIENCE)

    def write(self, text: str) -> int:
        """One or more whole lines."""
        self._drain()
        self._keep(text.encode("utf-8", "replace"))
        self._drain()
        return len(text)

    def flush(self) -> None:
        """Nothing is held back that can be written."""

    def isatty(self) -> bool:
        return os.isatty(self._file)

    def _keep(self, data: bytes) -> None:
        if self._kept and self._size + len(data) > KEPT:
            self._dropped += data.count(b"\n")
            return
        if self._dropped:
            data = b"%d lines before this one could not be written\n%b" % (self._dropped, data)
            self._dropped = 0
        self._kept.append(data)
        self._size += len(data)

    def _drain(self, patience: float = 0.0) -> None:
        while self._kept and self._is_ready(patience):
            try:
                written = os.write(self._file, self._kept[0][:_PIECE] if self._waits else self._kept[0])
            except OSError:
                return
            rest = self._kept.popleft()[written:]
            self._size -= written
            if rest:
                self._kept.appendleft(rest)

    def _is_ready(self, patience: float) -> bool:
        """A file always is; a pipe or a terminal is when its reader takes something."""
        if not self._waits:
            return True
        poll = select.poll()
        poll.register(self._file, select.POLLOUT)
        return bool(poll.poll(patience * 1000))
