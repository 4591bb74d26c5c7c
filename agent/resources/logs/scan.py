"""Finding lines in a snapshot: those with a text, those of a level, those with both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Protocol

from agent.core.records import LogSearch
from agent.resources.logs.index import LEVELS
from agent.resources.logs.needle import Needle
from agent.resources.logs.snapshot import Snapshot

IsOver = Callable[[], bool]
"""True when it is time to answer with what there is; asked between any two pieces of the log."""


class Scan:
    """Gives the matching lines one after the other, from the line where the search starts.

    `place` is the line from which to go on, outside the log when all of it was looked through. At least one more line
    than before is looked through whatever `is_over` says.
    """

    def __init__(self, log: Snapshot, wanted: LogSearch, is_over: IsOver) -> None:
        self.start = self.place = _start(wanted, log.count)
        self._log = log
        self._step = -1 if wanted.backwards else 1
        self._finders: list[_Finder] = []
        if wanted.level is not None:
            level = LEVELS.index(wanted.level)
            first = (log.first_error or log.count + 1) if wanted.level == "error" else 1
            self._finders.append(_LevelFinder(log, level, first, self._step, is_over))
        if wanted.text:
            needle = Needle(wanted.text, match_case=wanted.match_case, expected=log.size)
            self._finders.append(_TextFinder(log, needle, self._step, is_over))

    @property
    def is_done(self) -> bool:
        return not 1 <= self.place <= self._log.count

    def __iter__(self) -> Iterator[int]:
        while not self.is_done:
            number, is_found = self._next()
            self.place = number
            if not is_found:
                return
            self.place += self._step
            yield number

    def _next(self) -> tuple[int, bool]:
        """The finders overtake each other until they agree."""
        number, agreeing = self.place, 0
        for finder in cycle(self._finders):
            found, is_found = finder.find(number)
            if not is_found:
                return found, False
            agreeing = agreeing + 1 if found == number else 1
            number = found
            if agreeing == len(self._finders):
                return number, True
        return number, False


class _Finder(Protocol):
    def find(self, number: int) -> tuple[int, bool]:
        """The nearest matching line from `number` on, and True; or the line up to which there is none, and False."""


class _LevelFinder:
    """`first`: before that line none is of the level."""

    def __init__(self, log: Snapshot, level: int, first: int, step: int, is_over: IsOver) -> None:
        self._log = log
        self._level = bytes([level])
        self._first = first
        self._step = step
        self._is_over = is_over
        self._block = (0, 0)
        self._levels = b""

    def find(self, number: int) -> tuple[int, bool]:
        number = max(number, self._first) if self._step > 0 else number
        while self._first <= number <= self._log.count:
            first, end = self._load(number)
            if self._step > 0:
                place = self._levels.find(self._level, number - first)
            else:
                place = self._levels.rfind(self._level, 0, number - first + 1)
            if place >= 0:
                return first + place, True
            number = end if self._step > 0 else first - 1
            if self._is_over():
                return number, False
        return (number if self._step > 0 else 0), False

    def _load(self, number: int) -> tuple[int, int]:
        block = self._log.block_at(number)
        if block != self._block:
            self._block, self._levels = block, self._log.levels(*block)
        return block


class _TextFinder:
    def __init__(self, log: Snapshot, needle: Needle, step: int, is_over: IsOver) -> None:
        self._log = log
        self._needle = needle
        self._step = step
        self._is_over = is_over
        self._chunk = (0, 0)
        self._data = b""
        self._folded: bytes | bytearray = b""

    def find(self, number: int) -> tuple[int, bool]:
        return self._find_below(number) if self._step > 0 else self._find_above(number)

    def _find_below(self, number: int) -> tuple[int, bool]:
        place = self._log.offset(number)
        while place < self._log.size:
            first, end = self._load(place)
            found = self._needle.first(self._data, self._folded, place - first, end - first)
            if found >= 0:
                return self._log.line_at(first + found), True
            place = end
            if self._is_over() and place < self._log.size and (reached := self._log.line_at(place)) > number:
                return reached, False
        return self._log.count + 1, False

    def _find_above(self, number: int) -> tuple[int, bool]:
        place = self._log.offset(number + 1)
        while place > 0:
            first, _ = self._load(place - 1)
            found = self._needle.last(self._data, self._folded, 0, place - first)
            if found >= 0:
                return self._log.line_at(first + found), True
            place = first
            if self._is_over() and place > 0 and (reached := self._log.line_at(place - 1)) < number:
                return reached, False
        return 0, False

    def _load(self, place: int) -> tuple[int, int]:
        """The chunk with that byte, and so much of the next as a text may reach into it."""
        chunk = self._log.chunk_at(place)
        if chunk != self._chunk:
            self._data = self._log.read(chunk[0], chunk[1] + self._needle.size - 1)
            self._chunk, self._folded = chunk, self._needle.fold(self._data)
        return chunk


def _start(wanted: LogSearch, count: int) -> int:
    start = wanted.start if wanted.start is not None else (count if wanted.backwards else 1)
    if start < 0:
        start += count + 1
    return min(start, count) if wanted.backwards else max(start, 1)
