"""Rows of a knowledge base and their full-text index, written together and many at a time; inside the caller's
transaction.

One statement for many rows: the interpreter is free for other threads while SQLite is at it, and the full-text index
writes one segment for all of them instead of one for each.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

ROWS_AT_ONCE = 256

_PLACES = "(?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT = (
    "INSERT INTO rows (share, key, text, attributes, text_hash, attributes_hash, vector, source_attributes) VALUES "
)


class NewRow(NamedTuple):
    share: int
    key: str
    text: str
    attributes: str
    text_hash: bytes
    attributes_hash: bytes
    vector: bytes
    source_attributes: str | None = None
    """As the source has them, where they are shown differently; `attributes_hash` is always theirs."""


class NewAttributes(NamedTuple):
    attributes: str
    attributes_hash: bytes
    source_attributes: str | None
    row: int


def insert_rows(base: sqlite3.Connection, share: int, rows: Sequence[NewRow]) -> range:
    """Add rows to the share; their ids, in order."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        base.execute(_INSERT + ", ".join([_PLACES] * len(some)), list(chain.from_iterable(some)))
    # One writer, one transaction: the ids just given are consecutive and end here.
    last = newest_id(base)
    fresh = range(last - len(rows) + 1, last + 1)
    if rows:
        base.execute(
            "INSERT INTO rows_text (rowid, text) SELECT id, text FROM rows WHERE id >= ? ORDER BY id", (fresh.start,)
        )
        _count(base, share, len(rows))
    return fresh


def update_attributes(base: sqlite3.Connection, changes: Sequence[NewAttributes]) -> None:
    for start in range(0, len(changes), ROWS_AT_ONCE):
        some = changes[start : start + ROWS_AT_ONCE]
        given = ", ".join(["(?, ?, ?, ?)"] * len(some))
        base.execute(
            "UPDATE rows SET attributes = given.column1, attributes_hash = given.column2,"  # noqa: S608 - places only
            f" source_attributes = given.column3 FROM (VALUES {given}) AS given WHERE rows.id = given.column4",
            list(chain.from_iterable(some)),
        )


def delete_rows(base: sqlite3.Connection, share: int, ids: Sequence[int]) -> None:
    """Delete these rows of the share."""
    if not ids:
        return
    given = (json.dumps(list(ids)),)
    base.execute(
        "INSERT INTO rows_text (rows_text, rowid, text)"
        " SELECT 'delete', id, text FROM rows WHERE id IN (SELECT value FROM json_each(?))",
        given,
    )
    base.execute("DELETE FROM rows WHERE id IN (SELECT value FROM json_each(?))", given)
    _count(base, share, -len(ids))


def mark_seen(base: sqlite3.Connection, share: int, ids: Sequence[int]) -> None:
    base.execute(
        "INSERT OR IGNORE INTO seen SELECT ?, value FROM json_each(?)",
        (share, json.dumps(list(ids))),
    )


def newest_id(base: sqlite3.Connection) -> int:
    """The greatest id that a row ever had."""
    return int(base.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'rows'").fetchone()[0])


def _count(base: sqlite3.Connection, share: int, more: int) -> None:
    base.execute("UPDATE shares SET row_count = row_count + ? WHERE id = ?", (more, share))
