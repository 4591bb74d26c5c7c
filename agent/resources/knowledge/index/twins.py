"""Rows whose vectors are the same: the index holds the first of each, and finds the others by it.

A graph of neighbours suffers where thousands of rows lie in one place: they link to each other alone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.resources.knowledge.segment import Ids


class Twins:
    """`pairs` of ids, (first of its kind, another of it), in ascending order."""

    def __init__(self, pairs: NDArray[np.int64]) -> None:
        self._first = np.ascontiguousarray(pairs[:, 0])
        self._others = np.ascontiguousarray(pairs[:, 1])

    @classmethod
    def of(cls, ids: Ids, marks: Ids) -> Twins:
        """`marks` are the same where vectors are."""
        order = np.lexsort((ids, marks))
        ids, marks = ids[order], marks[order]
        begins = np.r_[True, marks[1:] != marks[:-1]] if len(ids) else np.zeros(0, dtype=bool)
        first = ids[np.flatnonzero(begins)[np.cumsum(begins) - 1]]
        pairs = np.column_stack((first, ids))[~begins]
        return cls(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))])

    @classmethod
    def read(cls, path: Path) -> Twins:
        return cls(np.fromfile(path, dtype=np.int64).reshape(-1, 2))

    def write(self, path: Path) -> None:
        path.touch(mode=0o600)
        np.column_stack((self._first, self._others)).tofile(path)

    def __len__(self) -> int:
        return len(self._others)

    def others(self) -> Ids:
        """All rows that another one stands for, ascending."""
        return np.sort(self._others)

    def joined(self, found: Ids, count: int) -> Ids:
        """These rows with those that they stand for, ascending; of each kind the first `count`, which is enough for
        the `count` nearest."""
        begins = np.searchsorted(self._first, found, side="left")
        ends = np.minimum(np.searchsorted(self._first, found, side="right"), begins + count)
        parts = [self._others[begin:end] for begin, end in zip(begins, ends, strict=True) if begin < end]
        return np.sort(np.concatenate((found, *parts))) if parts else found
