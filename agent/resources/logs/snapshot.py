"""A log as it is at one moment, read beside its writer: what comes later does not show.

Read by `pread`, not mapped: a slow disk then stops one thread, not all that wait for the interpreter, and a file that
is cut off meanwhile ends the reading, not the agent. Copying costs less than a tenth of the looking.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from agent.resources.logs.index import ENTRY, entry_place, offset_in

CHUNK = 256 * 1024
"""Bytes of text looked at in one go: they stay in the processor's cache."""
BLOCK = 64 * 1024
"""Lines whose levels are looked at in one go."""

_LEVEL_OF = bytes(mark >> 4 for mark in range(256))


class Snapshot:
    """`count` lines in `size` bytes, in segments that begin at `starts`; `first_error` is a line, 0 if none is one.
    `index` is a file of its own, closed with it."""

    def __init__(
        self, folder: Path, index: int, count: int, starts: Sequence[int], size: int, *, first_error: int
    ) -> None:
        self.count = count
        self.size = size
        self.first_error = first_error
        self._folder = folder
        self._index = index
        self._starts = starts
        self._segment = -1
        self._file = -1

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._index)
        if self._file >= 0:
            os.close(self._file)

    def line_at(self, place: int) -> int:
        """Number of the line that the byte belongs to."""
        return bisect_right(range(1, self.count + 1), place, key=self.offset)

    def offset(self, number: int) -> int:
        """Where the line begins; of the one after the last: the end."""
        return self.size if number > self.count else offset_in(os.pread(self._index, 8, entry_place(number - 1)))

    def chunk_at(self, place: int) -> tuple[int, int]:
        """First byte and end of the chunk that the byte belongs to; none reaches over the end of a segment."""
        segment = bisect_right(self._starts, place) - 1
        begin = self._starts[segment]
        first = begin + (place - begin) // CHUNK * CHUNK
        return first, min(first + CHUNK, self._end_of(segment))

    def read(self, start: int, end: int) -> bytes:
        """Bytes of one segment; what would be beyond it is left out."""
        segment = bisect_right(self._starts, start) - 1
        if segment != self._segment:
            self._open(segment)
        begin = self._starts[segment]
        return os.pread(self._file, min(end, self._end_of(segment)) - start, start - begin)

    def block_at(self, number: int) -> tuple[int, int]:
        """First line and the one after the last of the block that the line belongs to."""
        first = (number - 1) // BLOCK * BLOCK + 1
        return first, min(first + BLOCK, self.count + 1)

    def levels(self, first: int, end: int) -> bytes:
        """The level of each of these lines, by its place in LEVELS."""
        entries = os.pread(self._index, (end - first) * ENTRY, entry_place(first - 1))
        return entries[::ENTRY].translate(_LEVEL_OF)

    def _end_of(self, segment: int) -> int:
        return self._starts[segment + 1] if segment + 1 < len(self._starts) else self.size

    def _open(self, segment: int) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._segment, self._file = segment, -1
        self._file = os.open(self._folder / f"{self._starts[segment]:015d}.log", os.O_RDONLY)
