"""Searching one knowledge base: by vector, by words, by both; each search sees one committed state."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from agent.resources.embedders import Vectors
from agent.resources.knowledge.file import FILE_NAME, open_for_reading
from agent.resources.knowledge.index.opened import IndexInUse
from agent.resources.knowledge.matrix import VectorMatrix
from agent.resources.knowledge.segment import Ids
from agent.resources.knowledge.shares import count_rows
from agent.resources.knowledge.space import Space
from agent.resources.knowledge.words import match_expression

Ranked = list[tuple[int, float]]
"""(row id, score), best first."""

FUSION = 60
"""Reciprocal rank fusion: a row at rank r of a list is worth 1 / (60 + r); Cormack, Clarke and Büttcher, 2009."""
FUSED_DEPTH = 50
FIRST_LOOK = 50
FURTHER = 1000
"""At least as many of the nearest rows are looked up first, whether they exist and meet the condition; then so many
more."""

_AMONG = "SELECT rows.id FROM rows WHERE rows.id IN (SELECT value FROM json_each(?)){condition}"
_ALL_LIVE = """
    SELECT rows.id FROM rows JOIN shares ON shares.id = rows.share WHERE shares.state = 'live'{condition} ORDER BY rows.id
"""
_WITH_WORDS = """
    SELECT rows.id, -bm25(rows_text) AS score
    FROM rows_text JOIN rows ON rows.id = rows_text.rowid JOIN shares ON shares.id = rows.share
    WHERE rows_text MATCH ? AND shares.state = 'live'{condition} ORDER BY score DESC, rows.id LIMIT ?
"""
_EQUALS = "EXISTS (SELECT 1 FROM json_each(rows.attributes) a WHERE a.key = ? AND a.value IS ? AND a.type IN ({types}))"
_IS_NULL = "NOT EXISTS (SELECT 1 FROM json_each(rows.attributes) a WHERE a.key = ? AND a.type != 'null')"


class Condition:
    """`filter` as SQL over `rows`: every attribute has the value; null also stands for an attribute that is not there."""

    def __init__(self, filter_: dict[str, Any]) -> None:
        self.sql = ""
        self.values: list[Any] = []
        for name, value in filter_.items():
            self.sql += " AND " + (_IS_NULL if value is None else _EQUALS.format(types=_json_types(value)))
            self.values += [name] if value is None else [name, value]


class KnowledgeSearch:
    """Searches the base in `folder` for as long as its file is the same; safe for several threads."""

    def __init__(self, folder: Path, embedder: str, dimensions: int) -> None:
        self._folder = folder
        self._matrix = VectorMatrix(folder, embedder, dimensions)
        self._index = IndexInUse(folder, embedder, dimensions)
        self._catching_up = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._inode = (folder / FILE_NAME).stat().st_ino

    def is_current(self) -> bool:
        """False once the file was removed or put in the place of another."""
        try:
            return (self._folder / FILE_NAME).stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def count(self) -> tuple[int, int]:
        """(rows, generation)."""
        with self._connection() as base:
            return count_rows(base)

    @property
    def index_fault(self) -> str:
        """Why the index that is there was not used last; empty if it was, or if there is none."""
        return self._index.fault

    def search(
        self,
        question: str,
        vector: Vectors | None,
        mode: Literal["vector", "text", "both"],
        limit: int,
        filter_: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Hits, best first: `key`, `origin`, `score`, `text`, `attributes`. `vector`: the question's, shape (dimensions,)."""
        condition = Condition(filter_)
        with self._state() as (base, space):
            depth = limit if mode != "both" else max(FUSED_DEPTH, 4 * limit)
            lists: list[Ranked] = []
            if mode != "text" and vector is not None:
                lists.append(_by_vector(base, space, vector, depth, condition))
            if mode != "vector":
                lists.append(_by_words(base, question, depth, condition))
            ranked = lists[0] if mode != "both" and lists else _fused(lists)
            return _hits(base, ranked[:limit])

    def close(self) -> None:
        """Searches under way end first, each with its own connection."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _state(self) -> Iterator[tuple[sqlite3.Connection, Space]]:
        with self._connection() as base:
            # Within the lock, so that the vectors are exactly those of this transaction.
            with self._catching_up:
                base.execute("BEGIN")
                space = Space(self._matrix.segments(base), self._index.current(base))
            try:
                yield base, space
            finally:
                base.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            base = self._idle.pop()
        except IndexError:
            base = open_for_reading(self._folder)
        try:
            yield base
        except BaseException:
            base.close()
            raise
        if self._closed:
            base.close()
        else:
            self._idle.append(base)


def _by_vector(base: sqlite3.Connection, space: Space, vector: Vectors, limit: int, condition: Condition) -> Ranked:
    """The nearest rows. Rows are taken by score, and looked up in growing helpings until enough exist and
    meet the condition; if the first helping has too few, the condition is asked first."""
    rows = space.rows
    if not rows or not vector.any():
        return []
    live = _live_shares(base)
    look = max(FIRST_LOOK, 4 * limit)
    for nearest, helping in ((space.nearest, look), (space.nearest_of_all, look + FURTHER)):
        ranked = _ranked(nearest(vector, helping, live), helping)
        found = _that_match(base, ranked, condition)
        if len(found) >= limit or rows <= helping:
            return found[:limit]
    return _ranked(space.among(_matching(base, condition), vector), limit)


def _that_match(base: sqlite3.Connection, ranked: Ranked, condition: Condition) -> Ranked:
    there = base.execute(
        _AMONG.format(condition=condition.sql), (json.dumps([id_ for id_, _ in ranked]), *condition.values)
    )
    matching = {id_ for (id_,) in there}
    return [(id_, score) for id_, score in ranked if id_ in matching]


def _matching(base: sqlite3.Connection, condition: Condition) -> Any:
    found = base.execute(_ALL_LIVE.format(condition=condition.sql), condition.values)
    return np.fromiter((id_ for (id_,) in found), dtype=np.int64)


def _ranked(found: Sequence[tuple[Ids, Vectors]], limit: int) -> Ranked:
    ids, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((ids, -scores))[:limit]
    return [(int(ids[place]), float(scores[place])) for place in order]


def _by_words(base: sqlite3.Connection, question: str, limit: int, condition: Condition) -> Ranked:
    expression = match_expression(base, question)
    if expression is None:
        return []
    query = _WITH_WORDS.format(condition=condition.sql)
    return base.execute(query, (expression, *condition.values, limit)).fetchall()


def _fused(lists: Sequence[Ranked]) -> Ranked:
    scores: dict[int, float] = {}
    for ranked in lists:
        for rank, (id_, _score) in enumerate(ranked, 1):
            scores[id_] = scores.get(id_, 0.0) + 1 / (FUSION + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def _hits(base: sqlite3.Connection, ranked: Ranked) -> list[dict[str, Any]]:
    found = base.execute(
        "SELECT rows.id, key, origin, text, attributes FROM rows JOIN shares ON shares.id = rows.share"
        " WHERE rows.id IN (SELECT value FROM json_each(?))",
        (json.dumps([id_ for id_, _ in ranked]),),
    )
    rows = {row[0]: row[1:] for row in found}
    return [
        {"key": key, "origin": origin, "score": score, "text": text, "attributes": json.loads(attributes)}
        for id_, score in ranked
        for key, origin, text, attributes in [rows[id_]]
    ]


def _live_shares(base: sqlite3.Connection) -> frozenset[int]:
    return frozenset(id_ for (id_,) in base.execute("SELECT id FROM shares WHERE state = 'live'"))


def _json_types(value: Any) -> str:
    if isinstance(value, bool):
        return "'true', 'false'"
    return "'text'" if isinstance(value, str) else "'integer', 'real'"
