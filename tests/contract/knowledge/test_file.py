"""The file of a knowledge base over versions of its schema."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from agent.core.driving import DriverError
from agent.resources.knowledge.file import open_for_reading, open_for_writing, transaction
from agent.resources.knowledge.rows import NewRow, delete_rows, insert_rows
from agent.resources.knowledge.shares import ShareIdentity, begin_share
from tests.contract.drivers.kb_world import NOON

OLD_TRIGGERS = """
CREATE TRIGGER rows_text_insert AFTER INSERT ON rows BEGIN
    INSERT INTO rows_text (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER rows_text_delete AFTER DELETE ON rows BEGIN
    INSERT INTO rows_text (rows_text, rowid, text) VALUES ('delete', old.id, old.text);
END;
PRAGMA user_version = 1;
"""
UNDO_3 = """
ALTER TABLE rows DROP COLUMN source_attributes;
DROP TABLE forms;
DROP TABLE replacements;
DROP TABLE replaced;
DROP TABLE documents;
PRAGMA user_version = 2;
"""


def rows(share: int, *texts: str) -> list[NewRow]:
    return [NewRow(share, text, text, "{}", b"", b"", b"") for text in texts]


def with_word(base: sqlite3.Connection, word: str) -> list[str]:
    found = base.execute(
        "SELECT rows.text FROM rows_text JOIN rows ON rows.id = rows_text.rowid WHERE rows_text MATCH ? ORDER BY 1",
        (word,),
    )
    return [text for (text,) in found]


def check_index(base: sqlite3.Connection) -> None:
    base.execute("INSERT INTO rows_text (rows_text, rank) VALUES ('integrity-check', 1)")


@pytest.fixture
def share(tmp_path: Path) -> int:
    base = open_for_writing(tmp_path)
    begun = begin_share(base, ShareIdentity("a.b", "wordllama", 256, ("id",)), "live", "run", NOON)
    base.close()
    return begun.id


def test_file_of_version_1_is_taken_over_with_its_rows(tmp_path: Path, share: int) -> None:
    old = sqlite3.connect(tmp_path / "knowledge.sqlite")
    old.executescript(UNDO_3 + OLD_TRIGGERS)
    old.execute(
        "INSERT INTO rows (share, key, text, attributes, text_hash, attributes_hash, vector)"
        " VALUES (?, 'k', 'red hat', '{}', x'', x'', x'')",
        (share,),
    )
    old.commit()
    old.close()
    base = open_for_writing(tmp_path)
    with transaction(base):
        fresh = insert_rows(base, share, rows(share, "green hat", "blue hat"))
    assert with_word(base, "hat") == ["blue hat", "green hat", "red hat"]
    with transaction(base):
        delete_rows(base, share, [1, fresh[0]])
    assert with_word(base, "hat") == ["blue hat"]
    check_index(base)
    base.close()
    open_for_writing(tmp_path).close()


def test_file_of_version_2_is_taken_over_and_readable_before(tmp_path: Path, share: int) -> None:
    old = sqlite3.connect(tmp_path / "knowledge.sqlite")
    old.executescript(UNDO_3)
    old.close()
    open_for_reading(tmp_path).close()
    base = open_for_writing(tmp_path)
    with transaction(base):
        insert_rows(base, share, [row._replace(source_attributes='{"a":1}') for row in rows(share, "hat")])
    assert base.execute("SELECT source_attributes FROM rows").fetchall() == [('{"a":1}',)]
    assert base.execute("SELECT count(*) FROM forms").fetchone() == (0,)
    base.close()


def test_file_of_a_newer_version_is_refused(tmp_path: Path, share: int) -> None:
    newer = sqlite3.connect(tmp_path / "knowledge.sqlite")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    for open_ in (open_for_writing, open_for_reading):
        with pytest.raises(DriverError, match="has schema 99"):
            open_(tmp_path)


def test_many_rows_get_ids_in_their_order_and_any_text_comes_back(tmp_path: Path, share: int) -> None:
    texts = [f"text {number}" for number in range(600)] + ["with \x00 in it", "é 😀 'quoted' \"twice\"", ""]
    base = open_for_writing(tmp_path)
    with transaction(base):
        first = insert_rows(base, share, rows(share, *texts[:300]))
        second = insert_rows(base, share, rows(share, *texts[300:]))
        assert insert_rows(base, share, []) == range(second.stop, second.stop)
    assert [*first, *second] == list(range(1, len(texts) + 1))
    assert [text for (text,) in base.execute("SELECT text FROM rows ORDER BY id")] == texts
    assert base.execute("SELECT row_count FROM shares").fetchall() == [(len(texts),)]
    check_index(base)
    base.close()


def test_nothing_of_a_batch_that_failed_is_there(tmp_path: Path, share: int) -> None:
    base = open_for_writing(tmp_path)
    with pytest.raises(sqlite3.IntegrityError), transaction(base):
        insert_rows(base, share, rows(share, *(f"hat {number}" for number in range(300)), "hat 5"))
    assert with_word(base, "hat") == []
    assert base.execute("SELECT row_count FROM shares").fetchall() == [(0,)]
    check_index(base)
    base.close()
