"""What programs write, as log lines: whatever bytes come, bounded lines go."""

from __future__ import annotations

from collections.abc import Callable

LINE_LIMIT = 64 * 1024
"""Bytes of one line; a longer one is split."""


class Lines:
    """Cuts a stream of bytes into lines of text and hands each on.

    Bytes that are no UTF-8 are shown as replacement characters. Of a line that is rewritten with carriage returns, as
    progress bars do, what it said last counts.
    """

    def __init__(self, hand_on: Callable[[str], None]) -> None:
        self._hand_on = hand_on
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._tell(line)
        if len(self._rest) > LINE_LIMIT:
            self._shorten()

    def finish(self) -> None:
        """The stream is over: what is left is a line too."""
        if self._rest:
            self._tell(self._rest)
            self._rest = b""

    def _tell(self, line: bytes) -> None:
        line = _last_written(line)
        while len(line) > LINE_LIMIT:
            cut = _cut(line)
            self._hand_on(line[:cut].decode("utf-8", "replace"))
            line = line[cut:]
        self._hand_on(line.decode("utf-8", "replace"))

    def _shorten(self) -> None:
        rest = _last_written(self._rest) if not self._rest.endswith(b"\r") else self._rest[-LINE_LIMIT:]
        while len(rest) > LINE_LIMIT:
            cut = _cut(rest)
            self._hand_on(rest[:cut].decode("utf-8", "replace"))
            rest = rest[cut:]
        self._rest = rest


def _last_written(line: bytes) -> bytes:
    return line.rstrip(b"\r").rpartition(b"\r")[2]


def _cut(line: bytes) -> int:
    """Where to cut without breaking a character."""
    cut = LINE_LIMIT
    while cut > LINE_LIMIT - 4 and line[cut] & 0xC0 == 0x80:
        cut -= 1
    return cut
