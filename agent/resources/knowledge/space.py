"""All vectors of a knowledge base as one search sees them: runs of them in memory, and an index over the older ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.resources.embedders import Vectors
from agent.resources.knowledge.index.opened import VectorIndex
from agent.resources.knowledge.segment import Ids, Segment

MOST_BY_INDEX = 512
"""For more rows than that, comparing all of them is no slower than the index."""

Found = list[tuple[Ids, Vectors]]
"""(ids, scores) by segment."""


@dataclass(frozen=True, slots=True)
class Space:
    """What is newer than the index is compared row by row, so that nothing is missed that was just committed; of what
    the index names, the scores are taken from the vectors themselves."""

    segments: Sequence[Segment]
    index: VectorIndex | None = None

    @property
    def rows(self) -> int:
        return sum(len(segment.ids) for segment in self.segments)

    def nearest(self, vector: Vectors, count: int, shares: frozenset[int]) -> Found:
        """The `count` nearest of each segment, in no order; of what the index covers, almost always those."""
        if self.index is None or count > min(MOST_BY_INDEX, self.rows - 1):
            return self.nearest_of_all(vector, count, shares)
        newer = [segment.behind(self.index.last_id) for segment in self.segments]
        near = self.index.nearest(vector, count)
        return [*self.among(near, vector), *_compared([one for one in newer if len(one.ids)], vector, count, shares)]

    def nearest_of_all(self, vector: Vectors, count: int, shares: frozenset[int]) -> Found:
        """The same without the index."""
        return _compared(self.segments, vector, count, shares)

    def among(self, wanted: Ids, vector: Vectors) -> Found:
        """Those of the rows whose ids are wanted; these ascend."""
        return [segment.among(wanted, vector) for segment in self.segments]


def _compared(segments: Sequence[Segment], vector: Vectors, count: int, shares: frozenset[int]) -> Found:
    return [segment.nearest(vector, count, shares) for segment in segments]
