"""The derived vector files: the same answers as the rows themselves, whatever happened to the files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.resources.embedders import Vectors
from agent.resources.knowledge import matrix, segment
from agent.resources.knowledge.file import open_for_reading, open_for_writing
from agent.resources.knowledge.matrix import MANIFEST, VectorMatrix
from agent.resources.knowledge.room import RowRoom
from agent.resources.knowledge.search import KnowledgeSearch
from agent.resources.knowledge.segment import Segment
from agent.resources.knowledge.shares import ShareIdentity, begin_share, purge_dead, swap_in
from agent.resources.knowledge.writing import Checkpoint, KnowledgeRow, ShareWriter
from tests.contract.drivers.kb_world import NOON

DIMENSIONS = 8
DONE = Checkpoint("{}", None, None, "run", "{}")


class RandomEmbedder:
    """Unit vectors that are drawn, not computed: this is about files, not about meaning."""

    name = "drawn"
    dimensions = DIMENSIONS

    def __init__(self) -> None:
        self._draw = np.random.default_rng(7)

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = self._draw.normal(size=(len(texts), DIMENSIONS)).astype(np.float32)
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def close(self) -> None: ...


class Base:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.connection = open_for_writing(folder)
        self.embedder = RandomEmbedder()
        self.identity = ShareIdentity("db.table", "drawn", DIMENSIONS, ("id",))
        self.writer = self.share("live")

    def share(self, state: str) -> ShareWriter:
        share = begin_share(self.connection, self.identity, state, "run", NOON)
        return ShareWriter(self.connection, self.connection, share, self.embedder, RowRoom(None, Path()))

    def put(self, keys: Sequence[int], text: str = "v1", writer: ShareWriter | None = None) -> None:
        writer = writer or self.writer
        rows = [KnowledgeRow(str(key), f"{text} of {key}", {"parity": 2 if key % 16 == 0 else key % 2}) for key in keys]
        writer.commit(writer.prepare(rows), DONE)

    def truth(self, question: Vectors, limit: int, **filter_: Any) -> list[str]:
        """Nearest keys by the rows alone."""
        rows = self.connection.execute(
            "SELECT key, vector, attributes FROM rows JOIN shares ON shares.id = rows.share WHERE state = 'live'"
        ).fetchall()
        scored = [
            (-float(np.frombuffer(vector, np.float32) @ question), key)
            for key, vector, attributes in rows
            if not filter_ or json.loads(attributes) == filter_
        ]
        return [key for _, key in sorted(scored)[:limit]]

    def check(self, search: KnowledgeSearch) -> None:
        draw = np.random.default_rng(3)
        for limit in (1, 10, 40):
            question = draw.normal(size=DIMENSIONS).astype(np.float32)
            for filter_ in ({}, {"parity": 1}, {"parity": 2}):
                hits = search.search("", question, "vector", limit, filter_)
                assert [hit["key"] for hit in hits] == self.truth(question, limit, **filter_)


@pytest.fixture(params=["whole", "heads first"])
def base(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Base]:
    if request.param == "heads first":
        monkeypatch.setattr(matrix, "HEADS", {"drawn": 3})
        monkeypatch.setattr(segment, "HEADS_FROM", 1)
    monkeypatch.setattr(matrix, "APPEND_ROWS", 50)
    monkeypatch.setattr(matrix, "CHUNK_ROWS", 30)
    monkeypatch.setattr(matrix, "GONE_ROWS", 40)
    monkeypatch.setattr("agent.resources.knowledge.search.FIRST_LOOK", 20)
    monkeypatch.setattr("agent.resources.knowledge.search.FURTHER", 15)
    base = Base(tmp_path)
    yield base
    base.connection.close()


def searching(base: Base) -> KnowledgeSearch:
    return KnowledgeSearch(base.folder, "drawn", DIMENSIONS)


def mapped(base: Base) -> int:
    """Rows in the file that a process finds when it starts."""
    files = VectorMatrix(base.folder, "drawn", DIMENSIONS)._manifest()
    return files.count if files else 0


def test_answers_are_exact_while_rows_come_change_and_go(base: Base) -> None:
    search = searching(base)
    draw = np.random.default_rng(1)
    for turn in range(12):
        base.put(range(turn * 20, turn * 20 + 20))
        base.put(sorted(set(draw.integers(0, turn * 20 + 20, 15).tolist())), f"v{turn + 2}")
        base.writer.delete(base.writer.unseen(3), DONE)
        base.check(search)
        base.put([1000 + turn], "one more")
        base.check(search)
    base.check(searching(base))
    search.close()


def test_newer_rows_are_appended_to_the_same_file(base: Base) -> None:
    base.put(range(100))
    search = searching(base)
    base.check(search)
    files = sorted(path.name for path in base.folder.glob("vectors-*"))
    assert mapped(base) == 100
    base.put(range(100, 130))
    base.check(search)
    assert mapped(base) == 100
    base.put(range(130, 170))
    base.check(search)
    assert mapped(base) == 170
    assert sorted(path.name for path in base.folder.glob("vectors-*")) == files


def test_file_is_made_anew_when_many_rows_are_gone(base: Base) -> None:
    base.put(range(200))
    search = searching(base)
    base.check(search)
    for turn in range(3):
        base.put(range(0, 200, 2), f"turn {turn}")
        base.check(search)
    assert mapped(base) < 400
    assert len(list(base.folder.glob("vectors-*.f32"))) == 1


def test_share_built_aside_is_not_found_before_the_swap_and_alone_after_it(base: Base) -> None:
    base.put(range(100))
    search = searching(base)
    aside = base.share("building")
    base.put(range(50, 150), "new", aside)
    base.check(search)
    swap_in(base.connection, aside.share)
    base.check(search)
    purge_dead(base.connection, lambda: None)
    base.check(search)
    base.check(searching(base))


def test_many_rows_go_to_the_file_without_being_gathered_first(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    base.put(range(500))
    held: list[int] = []
    make = VectorMatrix._segment

    def counted(of: VectorMatrix, rows: list[tuple[int, int, bytes]]) -> Segment:
        held.append(sum(len(one.ids) for one in of._newer) + len(rows))
        return make(of, rows)

    monkeypatch.setattr(VectorMatrix, "_segment", counted)
    base.check(searching(base))
    assert max(held) == 30
    assert mapped(base) == 500


def test_rows_of_a_dead_share_are_cleared_from_the_file_once(base: Base) -> None:
    base.put(range(100))
    search = searching(base)
    base.check(search)
    aside = base.share("building")
    base.put(range(100), "new", aside)
    swap_in(base.connection, aside.share)
    base.check(search)
    assert mapped(base) == 100
    made = (base.folder / MANIFEST).stat().st_mtime_ns
    base.check(search)
    assert (base.folder / MANIFEST).stat().st_mtime_ns == made


@pytest.mark.parametrize("harm", ["no manifest", "torn manifest", "short file", "junk behind", "no file", "no heads"])
def test_harmed_files_do_not_change_an_answer(base: Base, harm: str) -> None:
    base.put(range(100))
    base.check(searching(base))
    vectors = next(base.folder.glob("vectors-*.head" if harm == "no heads" else "vectors-*.f32"))
    if harm == "no manifest":
        (base.folder / MANIFEST).unlink()
    elif harm == "torn manifest":
        (base.folder / MANIFEST).write_text('{"format": 1, "st')
    elif harm == "short file":
        with vectors.open("r+b") as file:
            file.truncate(100)
    elif harm == "junk behind":
        with vectors.open("ab") as file:
            file.write(b"x" * 1001)
    else:
        vectors.unlink()
    base.put(range(100, 190))
    base.check(searching(base))
    assert mapped(base) == 190


def test_file_of_another_history_is_not_believed(base: Base, tmp_path: Path) -> None:
    """A base put back from a backup gives ids that the file knows to other rows."""
    base.put(range(60))
    backup = sqlite3.connect(tmp_path / "backup")
    base.connection.backup(backup)
    base.put(range(60, 160))
    base.check(searching(base))
    backup.backup(base.connection)
    backup.close()
    base.put(range(500, 640), "other")
    base.check(searching(base))


def test_readers_see_one_committed_state(base: Base) -> None:
    base.put(range(30))
    reading = open_for_reading(base.folder)
    reading.execute("BEGIN")
    before = sum(len(segment.ids) for segment in VectorMatrix(base.folder, "drawn", DIMENSIONS).segments(reading))
    base.put(range(30, 60))
    after = sum(len(segment.ids) for segment in VectorMatrix(base.folder, "drawn", DIMENSIONS).segments(reading))
    assert (before, after) == (30, 30)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reading.execute("DELETE FROM rows")
    reading.close()
