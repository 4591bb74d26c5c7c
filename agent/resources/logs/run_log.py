"""The log of one run: text and index kept in step, whatever crash came between the two."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from pathlib import Path

from agent.core.records import LogSearch
from agent.core.running.masking import Masking
from agent.core.wire import WireLine
from agent.resources.logs.index import Entry, Index
from agent.resources.logs.scan import IsOver, Scan
from agent.resources.logs.snapshot import Snapshot
from agent.resources.logs.text import Text
from shared.models.run import LogHits, LogLine, LogPage

PAGE_LINES = 10_000
PAGE_BYTES = 4 * 1024 * 1024
"""Bytes of text in one page; one with longer lines has fewer of them, but always one."""


class RunLog:
    """Safe to use from several threads at once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()
        self._closed = False
        with contextlib.ExitStack() as opened:  # closed again where the disk is too full even to begin
            self._text = Text(folder)
            opened.callback(self._text.close)
            self._index = Index(folder / "index")
            opened.callback(self._index.close)
            self._repair()
            opened.pop_all()

    def append(self, lines: Sequence[WireLine], masking: Masking) -> int:
        """Write the lines, or none of them (OSError: the disk is full); the lines stored so far."""
        lines = _single(lines)
        data = masking.text("\n".join([line.text for line in lines])).encode("utf-8", "replace") + b"\n"
        with self._lock:
            if self._closed or not lines:
                return self._index.count
            size, count = self._text.size, self._index.count
            try:
                self._text.append(data)
                self._index.append(lines, _offsets(data, size, len(lines)))
            except OSError:
                with contextlib.suppress(OSError):  # if not even that is possible, the next opening repairs it
                    self._index.cut(count)
                    self._text.cut(size)
                raise
            if self._index.sealed:  # a further attempt of the run
                self._index.seal(sealed=False)
            return self._index.count

    def read(self, start: int, limit: int) -> LogPage:
        """Lines from number `start`; a negative start counts from the end."""
        with self._lock:
            if self._closed:  # deleted meanwhile
                return LogPage(lines=[], total=0, complete=True)
            total = self._index.count
            first = max(1, total + 1 + start if start < 0 else start)
            count = max(0, min(limit, PAGE_LINES, total + 1 - first))
            lines = self._lines(first, count) if count else []
            error = self._index.first_error or None
            return LogPage(lines=lines, total=total, first_error=error, complete=self._index.sealed)

    def search(self, wanted: LogSearch, is_over: IsOver) -> LogHits:
        """As many lines as are wanted, of the log as it is now; fewer when `is_over`, or the lines are long."""
        with self._lock:
            if self._closed:
                return LogHits(hits=[], total=0, scanned=0)
            snapshot = self._snapshot()
        with snapshot, contextlib.suppress(FileNotFoundError):  # deleted meanwhile
            scan = Scan(snapshot, wanted, is_over)
            hits = self._hits(scan, wanted.limit, is_over)
            scanned = abs(scan.place - scan.start)
            return LogHits(hits=hits, total=snapshot.count, scanned=scanned, next=None if scan.is_done else scan.place)
        return LogHits(hits=[], total=0, scanned=0)

    def seal(self) -> None:
        with self._lock:
            if not self._closed:
                self._index.seal(sealed=True)

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._text.close()
                self._index.close()

    def _snapshot(self) -> Snapshot:
        index = self._index
        texts, size = self._text.starts, self._text.size
        return Snapshot(self._folder, index.share(), index.count, texts, size, first_error=index.first_error)

    def _hits(self, scan: Scan, limit: int, is_over: IsOver) -> list[LogLine]:
        hits: list[LogLine] = []
        size = 0
        for number in scan:
            lines = self.read(number, 1).lines
            hits += lines
            size += sum(len(line.text) for line in lines)
            if len(hits) >= limit or size >= PAGE_BYTES or not lines or is_over():
                break
        return hits

    def _lines(self, first: int, count: int) -> list[LogLine]:
        entries = self._index.read(first, count + 1)
        ends = [entry.offset for entry in entries[1:]]
        if len(entries) == count:
            ends.append(self._text.size)
        entries = entries[:count]
        begin = entries[0].offset
        fitting = sum(1 for end in ends if end - begin <= PAGE_BYTES) or 1
        data = self._text.read(begin, ends[fitting - 1])
        texts = [data[e.offset - begin : end - begin - 1] for e, end in zip(entries[:fitting], ends, strict=False)]
        return [_line(first + n, entry, text) for n, (entry, text) in enumerate(zip(entries, texts, strict=False))]

    def _repair(self) -> None:
        """After a crash: lines that are not wholly there, and text that no line owns, are cut off."""
        count = self._index.count
        end = self._end_of(count)
        while count and end is None:
            count -= 1
            end = self._end_of(count)
        if count != self._index.count:
            self._index.cut(count)
        if (end or 0) != self._text.size:
            self._text.cut(end or 0)

    def _end_of(self, number: int) -> int | None:
        """Where the line ends in the text, its newline included; None if it does not."""
        place = self._index.offset(number) if number else 0
        if number == 0 or place >= self._text.size:
            return None
        while place < self._text.size:
            data = self._text.read(place, min(place + 1024 * 1024, self._text.size))
            newline = data.find(b"\n")
            if newline >= 0:
                return place + newline + 1
            place += len(data)
        return None


def _single(lines: Sequence[WireLine]) -> Sequence[WireLine]:
    """Each line really one line."""
    if not any("\n" in line.text for line in lines):
        return lines
    return [line.model_copy(update={"text": part}) for line in lines for part in line.text.split("\n")]


def _offsets(data: bytes, start: int, count: int) -> list[int]:
    offsets = []
    for piece in data.split(b"\n")[:count]:
        offsets.append(start)
        start += len(piece) + 1
    return offsets


def _line(number: int, entry: Entry, text: bytes) -> LogLine:
    # built without checking again what this store wrote itself: a page is a hot path
    return LogLine.model_construct(
        number=number, at=entry.at, level=entry.level, stream=entry.stream, text=text.decode("utf-8", "replace")
    )
