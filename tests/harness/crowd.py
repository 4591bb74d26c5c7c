"""Many jobs at once: copies of published ones, written straight into the store's file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_OWN = {"number", "id", "name", "name_key", "slug"}
_ORIGINALS = """
CREATE TEMP TABLE original AS
SELECT number, row_number() OVER (ORDER BY number) - 1 AS place FROM jobs WHERE number >= :since
"""
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT :there UNION ALL SELECT i + 1 FROM n WHERE i < :total - 1)"
_COPIED = "FROM n JOIN original ON original.place = n.i % :there JOIN jobs USING (number)"


def copy_jobs(path: Path, total: int, *, since: int = 1) -> None:
    """From the jobs numbered from `since` on, make `total` of them: in turn, each copy under a name and an id of its own,
    with its revision and its words. An agent may be at work on the file meanwhile; it hears nothing of them."""
    with closing(sqlite3.connect(path, timeout=30)) as store, store:
        columns = ", ".join(name for name in _stored(store) if name not in _OWN)
        store.execute(_ORIGINALS, {"since": since})
        there, last = store.execute("SELECT count(*), (SELECT max(number) FROM jobs) FROM temp.original").fetchone()
        store.execute(
            f"{_NUMBERS} INSERT INTO jobs (id, name, name_key, slug, {columns}) "
            "SELECT substr(id, 1, 24) || printf('%012x', i), name || ' ' || i, name_key || ' ' || i, slug || '-' || i, "
            f"{columns} {_COPIED}",
            {"there": there, "total": total},
        )
        store.execute(
            "INSERT INTO job_revisions (job_number, revision, definition, author_id, created_at) "
            "SELECT number, revision, definition, owner_id, created_at FROM jobs WHERE number > ?",
            (last,),
        )
        store.execute(
            "INSERT INTO job_text (rowid, name, description) SELECT number, name_key, '' FROM jobs WHERE number > ?",
            (last,),
        )


def _stored(store: sqlite3.Connection) -> list[str]:
    """The columns of a job, without those that the engine derives."""
    return [name for _, name, *_, hidden in store.execute("PRAGMA table_xinfo(jobs)") if not hidden]
