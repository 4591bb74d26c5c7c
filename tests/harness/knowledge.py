"""What an agent's knowledge base has, read from its file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def known_rows(data_dir: Path) -> int:
    """How many rows the only knowledge base has at this moment, whatever is told of it yet."""
    (path,) = (data_dir / "knowledge").rglob("knowledge.sqlite")
    with closing(sqlite3.connect(path)) as base:
        return int(base.execute("SELECT coalesce(sum(row_count), 0) FROM shares").fetchone()[0])


def known_texts(data_dir: Path) -> dict[str, str]:
    """What the only knowledge base has: each key once, in rows, in the full-text index and in the count alike."""
    (path,) = (data_dir / "knowledge").rglob("knowledge.sqlite")
    with closing(sqlite3.connect(path)) as base:
        assert base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        base.execute("INSERT INTO rows_text (rows_text, rank) VALUES ('integrity-check', 1)")
        found = base.execute(
            "SELECT key, text FROM rows JOIN shares ON shares.id = rows.share WHERE state = 'live'"
        ).fetchall()
        counted = base.execute("SELECT row_count FROM shares").fetchall()
    assert counted == [(len(found),)]
    assert len({key for key, _ in found}) == len(found), "a row is there twice"
    return dict(found)
