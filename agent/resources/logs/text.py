"""The text of a log: segment files, each named by the place of its first byte in the whole."""

from __future__ import annotations

import os
from bisect import bisect_right
from pathlib import Path

SEGMENT = 64 * 1024 * 1024
"""Bytes after which the next segment begins."""


class Text:
    """The bytes of one log, over all its segments."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starts = sorted(int(path.stem) for path in folder.glob("*.log")) or [0]
        self._tail = self._open(self._starts[-1])
        self.size = self._starts[-1] + os.fstat(self._tail).st_size

    def append(self, data: bytes) -> None:
        """Write at the end. A batch stays within one segment."""
        if self.size - self._starts[-1] >= SEGMENT:
            self._turn_to(self.size)
            self._starts.append(self.size)
        left = memoryview(data)
        place = self.size - self._starts[-1]
        while left:
            written = os.pwrite(self._tail, left, place)
            left, place = left[written:], place + written
        self.size += len(data)

    def read(self, start: int, end: int) -> bytes:
        """Bytes from `start` up to `end`."""
        parts = []
        while start < end:
            number = bisect_right(self._starts, start) - 1
            until = min(end, self._starts[number + 1] if number + 1 < len(self._starts) else end)
            part = self._read_segment(number, start, until)
            if not part:
                break
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    @property
    def starts(self) -> tuple[int, ...]:
        """Where the segments begin."""
        return tuple(self._starts)

    def cut(self, size: int) -> None:
        """Forget all after the first `size` bytes."""
        while len(self._starts) > 1 and self._starts[-1] >= size:
            self._turn_to(self._starts[-2])
            self._path(self._starts.pop()).unlink()
        os.ftruncate(self._tail, size - self._starts[-1])
        self.size = size

    def close(self) -> None:
        os.close(self._tail)

    def _read_segment(self, number: int, start: int, end: int) -> bytes:
        begin = self._starts[number]
        if number == len(self._starts) - 1:
            return os.pread(self._tail, end - start, start - begin)
        with self._path(begin).open("rb") as file:
            file.seek(start - begin)
            return file.read(end - start)

    def _turn_to(self, start: int) -> None:
        """Write to that segment from now on. Opened first: a descriptor that was closed may be another file's by now."""
        tail = self._open(start)
        os.close(self._tail)
        self._tail = tail

    def _open(self, start: int) -> int:
        return os.open(self._path(start), os.O_RDWR | os.O_CREAT, 0o600)

    def _path(self, start: int) -> Path:
        return self._folder / f"{start:015d}.log"
