"""A run of vectors in memory, and the nearest of them to a question's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.resources.embedders import Vectors

HEADS_FROM = 150_000
"""From as many rows on, a first choice is made by the heads; with fewer, every vector is compared whole."""
RESCORED = 2400
"""At least as many of that choice are compared whole: with 80 of wordllama's 256 dimensions, on half a million real
texts, 99.7 % of the ten nearest rows are among them."""

ALONE = 8192
"""So many rows are compared in a millisecond by one thread."""
SAMPLED = 32
"""Of so many scores one is looked at to guess how great the greatest are."""

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Segment:
    """Row i of `vectors` (count x dimensions) belongs to row `ids[i]` of share `shares[i]`; ids ascend. `heads` are the
    leading dimensions of the same vectors once more, where those say enough for a first choice; `distinct` are the
    shares, besides some that may have no row here."""

    ids: Ids
    shares: Ids
    vectors: Vectors
    heads: Vectors | None = None
    distinct: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not self.distinct:
            object.__setattr__(self, "distinct", frozenset(np.unique(self.shares).tolist()))

    def behind(self, last_id: int) -> Segment:
        """The rows with greater ids; a view, nothing is copied."""
        start = int(np.searchsorted(self.ids, last_id, side="right"))
        if not start:
            return self
        heads = None if self.heads is None else self.heads[start:]
        return Segment(self.ids[start:], self.shares[start:], self.vectors[start:], heads, self.distinct)

    def nearest(self, vector: Vectors, count: int, shares: frozenset[int]) -> tuple[Ids, Vectors]:
        """(ids, scores) of the `count` rows of these shares that are nearest to the vector, in no order."""
        if self.heads is not None and len(self.ids) >= HEADS_FROM:
            return self._nearest_by_heads(self.heads, vector, count, shares)
        scores = _products(self.vectors, vector)
        places = greatest(self._within(shares, scores), count)
        return self.ids[places], scores[places]

    def among(self, wanted: Ids, vector: Vectors) -> tuple[Ids, Vectors]:
        """(ids, scores) of the rows whose ids are wanted; those ascend."""
        places = np.searchsorted(self.ids, wanted)
        inside = places < len(self.ids)
        places, wanted = places[inside], wanted[inside]
        places = places[self.ids[places] == wanted]
        few = len(places) * 8 < len(self.ids)
        scores = _products(self.vectors[places], vector) if few else (self.vectors @ vector)[places]
        return self.ids[places], scores

    def _nearest_by_heads(
        self, heads: Vectors, vector: Vectors, count: int, shares: frozenset[int]
    ) -> tuple[Ids, Vectors]:
        rough = heads @ vector[: heads.shape[1]]
        # In the order of the file, which is the cheapest to read.
        chosen = np.sort(greatest(self._within(shares, rough), max(RESCORED, 10 * count)))
        scores = _products(self.vectors[chosen], vector)
        places = greatest(scores, count)
        return self.ids[chosen[places]], scores[places]

    def _within(self, shares: frozenset[int], scores: Vectors) -> Vectors:
        """The scores, those of other shares' rows lowered to nothing."""
        if not self.distinct <= shares:
            scores[~np.isin(self.shares, list(shares))] = -np.inf
        return scores


def _products(vectors: Vectors, vector: Vectors) -> Vectors:
    """Each of them with the vector. A few by this thread alone: the product would be shared among threads, which takes
    a hundred times as long where the machine is busy, for then they are waited for."""
    return np.vecdot(vectors, vector) if len(vectors) <= ALONE else vectors @ vector


def greatest(scores: Vectors, count: int) -> Ids:
    """Places of the `count` greatest scores, in no order; never those of minus infinity.

    To part many thousand costs several times what it takes to look at each once: a sample says what the greatest are
    above, and only those are parted."""
    count = min(count, len(scores))
    above = np.flatnonzero(scores >= _bound(scores, count))
    if len(above) > count:
        above = above[np.argpartition(scores[above], -count)[-count:]]
    return above[scores[above] > -np.inf]


def _bound(scores: Vectors, count: int) -> float:
    """A score that at least `count` of them reach, and mostly not many more."""
    sample = scores[::SAMPLED]
    wanted = 2 * count // SAMPLED + 8
    if wanted < len(sample):
        bound = float(np.partition(sample, -wanted)[-wanted])
        if np.count_nonzero(scores >= bound) >= count:
            return bound
    return -np.inf
