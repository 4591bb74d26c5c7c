"""Which documents a share holds: the chunks of each are rows with the keys `<name>#<number>`, counted from 0."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class StoredDocument(NamedTuple):
    """`fingerprint` says of what content, and how, the chunks were made; `run_id` by which run."""

    name: str
    fingerprint: bytes
    chunks: int
    run_id: str


def chunk_key(name: str, number: int) -> str:
    return f"{name}#{number}"


def stored_documents(base: sqlite3.Connection, share: int) -> dict[str, StoredDocument]:
    found = base.execute("SELECT name, fingerprint, chunks, run_id FROM documents WHERE share = ?", (share,))
    return {row[0]: StoredDocument(*row) for row in found}


def put_documents(base: sqlite3.Connection, share: int, documents: Sequence[StoredDocument]) -> None:
    """Inside the caller's transaction."""
    base.executemany(
        "INSERT OR REPLACE INTO documents (share, name, fingerprint, chunks, run_id) VALUES (?, ?, ?, ?, ?)",
        [(share, *document) for document in documents],
    )


def forget_documents(base: sqlite3.Connection, share: int, names: Sequence[str]) -> None:
    """Inside the caller's transaction; their rows are deleted apart."""
    base.execute(
        "DELETE FROM documents WHERE share = ? AND name IN (SELECT value FROM json_each(?))",
        (share, json.dumps(list(names))),
    )


def rows_behind(base: sqlite3.Connection, share: int, document: StoredDocument, count: int) -> list[int]:
    """Ids of the document's rows from chunk number `count` on."""
    keys = [chunk_key(document.name, number) for number in range(count, document.chunks)]
    return list(_rows_of(base, share, keys)) if keys else []


def _rows_of(base: sqlite3.Connection, share: int, keys: Sequence[str]) -> Iterator[int]:
    found = base.execute(
        "SELECT id FROM rows WHERE share = ? AND key IN (SELECT value FROM json_each(?))",
        (share, json.dumps(list(keys))),
    )
    return (id_ for (id_,) in found)
