"""The vectors of a knowledge base in memory: a memory-mapped file, derived from the rows, and what is newer than it.

Ids grow with every commit and are never used twice, so the file is good for all rows up to its last id: newer ones
are kept beside it and, once they are many, appended. Rows that are gone stay in it until they are many; whoever
takes ids from here asks the rows themselves whether they still exist.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.resources.embedders import Vectors
from agent.resources.knowledge.rows import newest_id
from agent.resources.knowledge.segment import Segment

MANIFEST = "vectors.json"
FORMAT = 3
APPEND_ROWS = 8192
"""As many newer rows are held in memory before they go to the file."""
CHUNK_ROWS = 8192
GONE_ROWS = 10_000
GONE_SHARE = 0.3
"""The file is made anew when more than this many and this part of its rows are gone."""

HEADS = {"wordllama": 80}
"""How many leading dimensions say enough for a first choice, by embedder; of the others, each vector is compared whole."""

_ROWS = """
    SELECT rows.id, rows.share, rows.vector FROM rows JOIN shares ON shares.id = rows.share
    WHERE rows.id > ? AND shares.state != 'dead' AND shares.embedder = ? AND shares.dimensions = ? ORDER BY rows.id
"""


@dataclass(frozen=True, slots=True)
class _Files:
    """What the manifest says: `stem` names the files, of which the first `count` rows count."""

    stem: str
    count: int
    last_id: int
    embedder: str
    dimensions: int
    head: int


class VectorMatrix:
    """Not for use by two threads at once; the segments that it hands out never change."""

    def __init__(self, folder: Path, embedder: str, dimensions: int) -> None:
        self._folder = folder
        self._embedder = embedder
        self._dimensions = dimensions
        self._head = HEADS.get(embedder, 0)
        self._mapped: Segment | None = None
        self._newer: list[Segment] = []
        self._last_id = 0

    def segments(self, base: sqlite3.Connection) -> list[Segment]:
        """All vectors as of `base`'s read transaction, besides some of rows that are gone."""
        newest = newest_id(base)
        if self._mapped is None or newest < self._last_id:
            self._load(base, newest)
        if newest - self._last_id + self._held() > APPEND_ROWS:
            self._persist(base, newest)
        if newest > self._last_id:
            self._newer += [self._segment(rows) for rows in self._read(base, self._last_id)]
            self._last_id = newest
        if self._much_is_gone(base):
            self._persist(base, newest)
        return [segment for segment in (self._mapped, *self._newer) if segment is not None and len(segment.ids)]

    def _load(self, base: sqlite3.Connection, newest: int) -> None:
        self._mapped, self._newer, self._last_id = _empty(self._dimensions), [], 0
        files = self._manifest()
        if files is not None and files.last_id <= newest:
            mapped = self._map(files)
            if _agrees(base, mapped):
                self._mapped, self._last_id = mapped, files.last_id

    def _held(self) -> int:
        return sum(len(segment.ids) for segment in self._newer)

    def _much_is_gone(self, base: sqlite3.Connection) -> bool:
        mapped = 0 if self._mapped is None else len(self._mapped.ids)
        counted = base.execute(
            "SELECT coalesce(sum(row_count), 0) FROM shares WHERE state != 'dead' AND embedder = ? AND dimensions = ?",
            (self._embedder, self._dimensions),
        ).fetchone()[0]
        gone = mapped + self._held() - counted
        return bool(gone > GONE_ROWS and gone > GONE_SHARE * mapped)

    def _persist(self, base: sqlite3.Connection, newest: int) -> None:
        """Append what is newer than the file, or make it anew; left to another process if it is at it."""
        with self._file_lock() as locked:
            if not locked:
                return
            old = self._manifest()
            if old is None or old.last_id > newest or not self._continues(old) or self._much_is_gone(base):
                files = self._written(base, self._fresh_stem(newest), 0, 0, newest)
            else:
                files = self._written(base, old.stem, old.count, old.last_id, newest)
            self._publish(files)
            self._mapped, self._newer, self._last_id = self._map(files), [], newest
            self._remove_others(files)

    def _continues(self, files: _Files) -> bool:
        """Whether these are the files that were found to agree with the base, or longer by now."""
        return self._mapped is not None and len(self._mapped.ids) > 0 and files.count >= len(self._mapped.ids)

    def _fresh_stem(self, newest: int) -> str:
        """A name not in use: a file that another process has mapped must never be cut short."""
        taken = {path.stem for path in self._folder.glob("vectors-*")}
        names = (f"vectors-{newest}-{number}" for number in itertools.count())
        return next(name for name in names if name not in taken)

    def _written(self, base: sqlite3.Connection, stem: str, count: int, after: int, newest: int) -> _Files:
        count = self._append(stem, count, self._read(base, after))
        return _Files(stem, count, newest, self._embedder, self._dimensions, self._head)

    def _append(self, stem: str, count: int, chunks: Iterator[list[tuple[int, int, bytes]]]) -> int:
        """Write behind the first `count` rows; what a killed process left behind them is overwritten."""
        with ExitStack() as stack:
            files = [
                stack.enter_context(_opened(self._place(stem, suffix), count * width))
                for suffix, width in self._widths().items()
            ]
            for rows in chunks:
                segment = self._segment(rows)
                for file, part in zip(files, self._parts(segment), strict=True):
                    file.write(part.tobytes())
                count += len(rows)
            for file in files:
                file.flush()
                os.fsync(file.fileno())
        return count

    def _widths(self) -> dict[str, int]:
        """Suffixes of the files, with the bytes of a row in each."""
        return {"f32": self._dimensions * 4, "head": self._head * 4, "ids": 16}

    def _parts(self, segment: Segment) -> tuple[Any, Any, Any]:
        heads = np.ascontiguousarray(segment.vectors[:, : self._head])
        return segment.vectors, heads, np.column_stack((segment.ids, segment.shares))

    def _publish(self, files: _Files) -> None:
        aside = self._folder / f"{MANIFEST}.{os.getpid()}"
        aside.write_text(json.dumps({"format": FORMAT, **asdict(files)}))
        aside.replace(self._folder / MANIFEST)

    def _manifest(self) -> _Files | None:
        try:
            stored = json.loads((self._folder / MANIFEST).read_text())
            files = _Files(**{field: stored[field] for field in _Files.__slots__})
            made_for = (files.embedder, files.dimensions, files.head)
            good = (
                stored["format"] == FORMAT
                and made_for == (self._embedder, self._dimensions, self._head)
                and all(
                    self._place(files.stem, suffix).stat().st_size >= files.count * width
                    for suffix, width in self._widths().items()
                )
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return files if good else None

    def _map(self, files: _Files) -> Segment:
        if not files.count:
            return _empty(self._dimensions)
        pairs = np.fromfile(self._place(files.stem, "ids"), dtype=np.int64, count=files.count * 2).reshape(-1, 2)
        return Segment(
            np.ascontiguousarray(pairs[:, 0]),
            np.ascontiguousarray(pairs[:, 1]),
            self._mapped_file(files, "f32", self._dimensions),
            self._mapped_file(files, "head", self._head) if self._head else None,
        )

    def _mapped_file(self, files: _Files, suffix: str, columns: int) -> Vectors:
        shape = (files.count, columns)
        return np.asarray(np.memmap(self._place(files.stem, suffix), dtype=np.float32, mode="r", shape=shape))

    def _remove_others(self, files: _Files) -> None:
        for path in self._folder.glob("vectors-*"):
            if path.stem != files.stem and path.suffix.removeprefix(".") in self._widths():
                with suppress(OSError):
                    path.unlink()

    def _place(self, stem: str, suffix: str) -> Path:
        return self._folder / f"{Path(stem).name}.{suffix}"

    @contextmanager
    def _file_lock(self) -> Iterator[bool]:
        handle = os.open(self._folder / "vectors.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(handle)

    def _read(self, base: sqlite3.Connection, after: int) -> Iterator[list[tuple[int, int, bytes]]]:
        cursor = base.execute(_ROWS, (after, self._embedder, self._dimensions))
        while rows := cursor.fetchmany(CHUNK_ROWS):
            yield rows

    def _segment(self, rows: list[tuple[int, int, bytes]]) -> Segment:
        vectors = np.frombuffer(b"".join(row[2] for row in rows), dtype=np.float32).reshape(-1, self._dimensions)
        pairs = np.array([row[:2] for row in rows], dtype=np.int64)
        return Segment(pairs[:, 0].copy(), pairs[:, 1].copy(), vectors)


def _agrees(base: sqlite3.Connection, mapped: Segment) -> bool:
    """Whether the file was made from this base: one restored from a backup gives the same ids to other rows."""
    last = {int(id_): vector.tobytes() for id_, vector in zip(mapped.ids[-64:], mapped.vectors[-64:], strict=True)}
    found = base.execute(
        "SELECT id, vector FROM rows WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(last)),)
    )
    return all(last[id_] == vector for id_, vector in found)


def _empty(dimensions: int) -> Segment:
    none = np.zeros(0, dtype=np.int64)
    return Segment(none, none, np.zeros((0, dimensions), dtype=np.float32))


@contextmanager
def _opened(path: Path, size: int) -> Iterator[Any]:
    """The file to write behind its first `size` bytes."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b") as file:
        file.truncate(size)
        file.seek(0, os.SEEK_END)
        yield file
