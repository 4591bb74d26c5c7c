"""A base of some rows, and a resident search of it beside the truth."""

from __future__ import annotations

import json
import random
from contextlib import closing
from typing import Any

import numpy as np

from agent.resources.embedders import Vectors, open_embedder
from agent.resources.knowledge.index.manifest import index_fault
from agent.resources.knowledge.search import KnowledgeSearch
from tests.contract.drivers.kb_world import KbWorld

ROWS = 1200

WORDS = [
    f"{first}{second}"
    for first in ("sun", "rain", "wood", "stone", "cook", "sail")
    for second in ("shine", "bow", "worker", "house", "book", "board", "path", "land", "craft", "fall")
]

CONTENT = {"content_columns": ["description"]}


def text_of(number: int, length: int = 6) -> str:
    return " ".join([*random.Random(number).choices(WORDS, k=length), str(number)])


class Searcher:
    """One resident search of a base, and the truth beside it."""

    def __init__(self, world: KbWorld) -> None:
        self.world = world
        self.search = KnowledgeSearch(world.base, "wordllama", 256)
        self._embedder = open_embedder("wordllama")

    def keys(self, question: str, limit: int = 10, **filter_: Any) -> list[str]:
        hits = self.search.search(question, self.vector(question), "vector", limit, filter_)
        return [hit["key"] for hit in hits]

    def recall(self, questions: int = 40, **filter_: Any) -> float:
        """Of the ten nearest rows by the rows themselves, the part that is found."""
        rows = self.world.query(
            "SELECT key, vector, attributes FROM rows JOIN shares ON shares.id = rows.share WHERE state = 'live'"
        )
        kept = [row for row in rows if not filter_ or filter_.items() <= json.loads(row[2]).items()]
        matrix = np.frombuffer(b"".join(row[1] for row in kept), np.float32).reshape(-1, 256)
        found = wanted = 0
        for number in range(questions):
            question = text_of(10_000 + number, 4)
            scores = {row[0]: score for row, score in zip(kept, matrix @ self.vector(question), strict=True)}
            least = sorted(scores.values())[-min(10, len(scores))] - 1e-5
            keys = self.keys(question, **filter_)
            assert len(keys) == len(set(keys)) == min(10, len(scores))
            wanted += len(keys)
            found += sum(scores[key] >= least for key in keys)
        return found / wanted

    def vector(self, question: str) -> Vectors:
        vector: Vectors = self._embedder.embed([question])[0]
        return vector


def files(world: KbWorld) -> list[str]:
    return sorted(path.name for pattern in ("index*", "aside*") for path in world.base.glob(pattern))


def index_of(world: KbWorld) -> str:
    """What the doctor says of it."""
    from agent.resources.knowledge.file import open_for_reading

    with closing(open_for_reading(world.base)) as base:
        return index_fault(world.base, base, "wordllama", 256)
