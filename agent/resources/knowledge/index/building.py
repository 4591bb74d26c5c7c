"""Making an index of the vectors that searches can find, and measuring how well it finds them. For workers only."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from usearch.index import Index

from agent.core.driving import DriverError
from agent.resources.embedders import Vectors
from agent.resources.embedders.vectors import unit
from agent.resources.knowledge.index.manifest import WITNESSES, IndexUnfit, witness
from agent.resources.knowledge.index.opened import open_file
from agent.resources.knowledge.index.twins import Twins
from agent.resources.knowledge.segment import Ids
from agent.resources.knowledge.writing import digest

NEIGHBOURS = 10
CANDIDATES = 50
"""As many a search of ten rows takes from the index, to order them by their true scores."""
BREADTHS = (64, 96, 128, 192, 256, 384, 512)
READ_ROWS = 4096
VALUES_AT_ONCE = 131_072
"""So many numbers are added between two looks at `cancelled`: half a second's work on one slow core."""
TIE = 1e-5
"""Scores that close are the same row for a searcher, and differ by the order of summing alone."""

_FROM = (
    "FROM rows JOIN shares ON shares.id = rows.share WHERE shares.state = 'live' AND embedder = ? AND dimensions = ?"
)


@dataclass(frozen=True, slots=True)
class Content:
    """The rows that searches by vector can find, as of `base`'s read transaction."""

    base: sqlite3.Connection
    embedder: str
    dimensions: int

    def ids(self) -> Ids:
        found = self.base.execute(f"SELECT rows.id {_FROM} ORDER BY rows.id", self._of)
        return np.fromiter((id_ for (id_,) in found), dtype=np.int64)

    def chunks(self, rows: int) -> Iterator[tuple[Ids, Vectors]]:
        """All of them, by id."""
        found = self.base.execute(f"SELECT rows.id, vector {_FROM} ORDER BY rows.id", self._of)
        while some := found.fetchmany(rows):
            yield self._arrays(some)

    def vectors(self, ids: Ids) -> Vectors:
        """Those of these rows, which exist and ascend."""
        found = self.base.execute(
            "SELECT id, vector FROM rows WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(ids.tolist()),),
        )
        return self._arrays(found.fetchall())[1]

    def twins(self, between: Callable[[], None]) -> Twins:
        """Which of them have the same vector."""
        marks: list[int] = []
        for _, vectors in self.chunks(READ_ROWS):
            between()
            marks += [int.from_bytes(digest(vector.tobytes())[:8], signed=True) for vector in vectors]
        return Twins.of(self.ids(), np.array(marks, dtype=np.int64))

    def witnesses(self, ids: Ids) -> dict[int, str]:
        last = ids[-WITNESSES:]
        return {id_: witness(vector.tobytes()) for id_, vector in zip(last.tolist(), self.vectors(last), strict=True)}

    @property
    def _of(self) -> tuple[str, int]:
        return self.embedder, self.dimensions

    def _arrays(self, rows: Sequence[tuple[int, bytes]]) -> tuple[Ids, Vectors]:
        ids = np.fromiter((id_ for id_, _ in rows), dtype=np.int64, count=len(rows))
        vectors = np.frombuffer(b"".join(vector for _, vector in rows), dtype=np.float32)
        return ids, vectors.reshape(-1, self.dimensions)


class Sample:
    """Questions about the content, and how near their nearest rows are: compared with every row as it goes by.

    A question is the vector of a row, halfway drawn towards that of another. Short questions of people lie about as
    far from the texts; the rows' own vectors would flatter the index, for it was built by searching for them.
    """

    def __init__(self, content: Content, ids: Ids, size: int) -> None:
        draw = np.random.default_rng(len(ids))
        first, second = (np.sort(draw.choice(ids, min(size, len(ids)), replace=False)) for _ in range(2))
        others: Vectors = draw.permutation(content.vectors(second))
        questions = unit((content.vectors(first) + others / 2).astype(np.float32))
        self.questions: Vectors = questions[questions.any(axis=1)]
        self._nearest = np.full((len(self.questions), min(NEIGHBOURS, len(ids))), -np.inf, dtype=np.float32)

    def meet(self, vectors: Vectors) -> None:
        """These rows are part of the content."""
        count = self._nearest.shape[1]
        scores = np.concatenate((self._nearest, self.questions @ vectors.T), axis=1)
        self._nearest = np.partition(scores, -count, axis=1)[:, -count:]

    def recall(self, index: Index, twins: Twins, content: Content) -> float:
        """The part of the nearest ten that searches by the index find, over all questions; 1.0 without a question."""
        found = [self._found(index, twins, content, number) for number in range(len(self.questions))]
        return sum(found) / self._nearest.size if found else 1.0

    def _found(self, index: Index, twins: Twins, content: Content, number: int) -> int:
        question, nearest = self.questions[number], self._nearest[number]
        keys = np.sort(index.search(question, CANDIDATES, threads=1).keys.astype(np.int64))
        scores = content.vectors(twins.joined(keys, CANDIDATES)) @ question
        return min(len(nearest), int(np.count_nonzero(scores >= nearest.min() - TIE)))


def build(content: Content, sample: Sample, twins: Twins, settings: Settings, between: Callable[[int], None]) -> Index:
    """An index of the content in memory, without the twins; the sample meets every row. `between` is told how many
    rows it has seen, often."""
    index = Index(
        ndim=content.dimensions,
        metric="ip",
        dtype="f16",
        connectivity=settings.connectivity,
        expansion_add=settings.expansion,
        enable_key_lookups=False,
    )
    others = twins.others()
    done, added, step = 0, 0, max(16, VALUES_AT_ONCE // content.dimensions)
    for ids, vectors in content.chunks(READ_ROWS):
        sample.meet(vectors)
        for start in range(0, len(ids), step):
            some = slice(start, start + step)
            alone = ~np.isin(ids[some], others, assume_unique=True)
            index.add(ids[some][alone].astype(np.uint64), vectors[some][alone], threads=settings.threads)
            done, added = done + len(alone), added + int(alone.sum())
            between(done)
    if len(index) != added:
        raise DriverError("index", f"the index took {len(index)} of {added} rows")
    return index


@dataclass(frozen=True, slots=True)
class Settings:
    """Links of each row, rows kept in view while a row is added, threads."""

    connectivity: int
    expansion: int
    threads: int


def save(index: Index, path: Path) -> None:
    """Write the index to the disk."""
    path.touch(mode=0o600)
    try:
        index.save(path)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    except RuntimeError as error:
        raise _not_written(str(error)) from None


def save_twins(twins: Twins, path: Path) -> None:
    """Write them to the disk, if there are any."""
    if len(twins):
        twins.write(path)
        with path.open("rb") as file:
            os.fsync(file.fileno())


def tuned(
    path: Path, sample: Sample, twins: Twins, content: Content, floor: float, between: Callable[[], None]
) -> tuple[int, float]:
    """(breadth, recall) of what was written: the least breadth whose recall is safely above the floor, half of the way
    to 1; the greatest one if none is."""
    recall = 0.0
    for breadth in BREADTHS:
        between()
        recall = sample.recall(_reopened(path, content.dimensions, breadth), twins, content)
        if recall >= (1 + floor) / 2:
            return breadth, recall
    return BREADTHS[-1], recall


def _reopened(path: Path, dimensions: int, breadth: int) -> Index:
    # the library says nothing when a disk takes only a part
    try:
        return open_file(path, dimensions, breadth)
    except IndexUnfit as unfit:
        raise _not_written(str(unfit)) from None


def _not_written(why: str) -> DriverError:
    return DriverError("disk", f"the index was not written whole, probably for want of room: {why}", transient=True)
