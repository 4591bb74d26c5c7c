"""The index of a log: a header, then 16 bytes for each line, so that any line is found by one read.

Header (32 bytes): magic, first error (line number, 0 for none), sealed (1 when the run is over), padding.
Entry: offset of the line in the log << 8 | level << 4 | stream; then its time in microseconds since 1970. All little-endian.
A line ends where the next one begins, less its newline.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, get_args

from agent.core.wire import WireLine
from shared.models.run import LogLevel, LogStream

MAGIC = b"JDLOG1\0\0"
HEADER = struct.Struct("<8sQB15x")
ENTRY = 16

LEVELS: tuple[LogLevel, ...] = get_args(LogLevel)
STREAMS: tuple[LogStream, ...] = get_args(LogStream)
_MARKS = {(level, stream): i << 4 | j for i, level in enumerate(LEVELS) for j, stream in enumerate(STREAMS)}
_ERROR = LEVELS.index("error")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Entry(NamedTuple):
    offset: int
    at: datetime
    level: LogLevel
    stream: LogStream


class Index:
    """The index file of one log, open for reading and appending."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self.first_error = 0
        self.sealed = False
        self.count = 0
        try:
            self._read_header()
        except OSError:
            os.close(self._file)
            raise

    def append(self, lines: Sequence[WireLine], offsets: Sequence[int]) -> None:
        """One entry for each line; the first error is noted before, so that a crash between cannot lose it."""
        if not self.first_error:
            found = next((n for n, line in enumerate(lines) if line.level == "error"), None)
            if found is not None:
                self.first_error = self.count + found + 1
                self._write_header()
        words: list[int] = []
        for line, offset in zip(lines, offsets, strict=True):
            words += (offset << 8 | _MARKS[line.level, line.stream], (line.at - _EPOCH) // _MICROSECOND)
        _write_all(self._file, struct.pack(f"<{len(words)}Q", *words), entry_place(self.count))
        self.count += len(lines)

    def read(self, first: int, count: int) -> list[Entry]:
        """Entries from line number `first`."""
        words = _words(os.pread(self._file, count * ENTRY, entry_place(first - 1)))
        return [_entry(words[at], words[at + 1]) for at in range(0, len(words), 2)]

    def offset(self, number: int) -> int:
        return offset_in(os.pread(self._file, 8, entry_place(number - 1)))

    def share(self) -> int:
        """The file once more, for reading beside this; whoever takes it closes it."""
        return os.dup(self._file)

    def cut(self, count: int) -> None:
        """Forget all lines after the first `count`."""
        os.ftruncate(self._file, entry_place(count))
        self.count = count
        if self.first_error > count:
            self.first_error = 0
            self._write_header()

    def seal(self, *, sealed: bool) -> None:
        self.sealed = sealed
        self._write_header()

    def close(self) -> None:
        os.close(self._file)

    def _read_header(self) -> None:
        data = os.pread(self._file, HEADER.size, 0)
        size = os.fstat(self._file).st_size
        if len(data) < HEADER.size or not data.startswith(MAGIC):
            os.ftruncate(self._file, 0)
            self._write_header()
            return
        _, self.first_error, sealed = HEADER.unpack(data)
        self.sealed = bool(sealed)
        self.cut((size - HEADER.size) // ENTRY)  # of a torn entry nothing stays

    def _write_header(self) -> None:
        _write_all(self._file, HEADER.pack(MAGIC, self.first_error, self.sealed), 0)


def entry_place(count: int) -> int:
    """Where in the file the entry after the first `count` begins."""
    return HEADER.size + count * ENTRY


def offset_in(entry: bytes) -> int:
    """The line's place in the text, from the first 8 bytes of its entry."""
    return int.from_bytes(entry[:8], "little") >> 8


def _words(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 8}Q", data[: len(data) // 8 * 8])


def _entry(place: int, at: int) -> Entry:
    return Entry(place >> 8, _EPOCH + at * _MICROSECOND, LEVELS[place >> 4 & 15], STREAMS[place & 15])


def _write_all(file: int, data: bytes, place: int) -> None:
    while data:
        written = os.pwrite(file, data, place)
        data, place = data[written:], place + written
