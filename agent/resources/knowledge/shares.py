"""Shares of a knowledge base: which is live, building one aside, swapping it in, clearing away what is dead."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.resources.knowledge.file import transaction
from agent.resources.knowledge.rows import delete_rows

PURGE_ROWS = 5000
ABANDONED_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ShareIdentity:
    """What makes rows comparable: if any of it differs, the rows cannot live in the same share."""

    origin: str
    embedder: str
    dimensions: int
    key_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    id: int
    identity: ShareIdentity
    state: str
    made_by: str

    def count(self, base: sqlite3.Connection) -> int:
        return int(base.execute("SELECT row_count FROM shares WHERE id = ?", (self.id,)).fetchone()[0])


def find_share(base: sqlite3.Connection, origin: str, state: str) -> Share | None:
    """The origin's `live` or `building` share."""
    row = base.execute(
        "SELECT id, embedder, dimensions, key_columns, made_by FROM shares WHERE origin = ? AND state = ?",
        (origin, state),
    ).fetchone()
    if row is None:
        return None
    id_, embedder, dimensions, key_columns, made_by = row
    return Share(id_, ShareIdentity(origin, embedder, dimensions, tuple(json.loads(key_columns))), state, made_by)


def begin_share(base: sqlite3.Connection, identity: ShareIdentity, state: str, made_by: str, now: datetime) -> Share:
    """A new, empty share; a building one that was there before is dead."""
    with transaction(base):
        if state == "building":
            base.execute("UPDATE shares SET state = 'dead' WHERE origin = ? AND state = 'building'", (identity.origin,))
        added = base.execute(
            "INSERT INTO shares (origin, state, embedder, dimensions, key_columns, made_by, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                identity.origin,
                state,
                identity.embedder,
                identity.dimensions,
                json.dumps(identity.key_columns),
                made_by,
                now.isoformat(),
            ),
        )
        assert added.lastrowid is not None
        return Share(added.lastrowid, identity, state, made_by)


def swap_in(base: sqlite3.Connection, share: Share) -> None:
    """Make the building share live and the one before it dead, at once; the base enters its next generation."""
    with transaction(base):
        base.execute("UPDATE shares SET state = 'dead' WHERE origin = ? AND state = 'live'", (share.identity.origin,))
        base.execute("UPDATE shares SET state = 'live' WHERE id = ?", (share.id,))
        base.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'")


def drop_abandoned(base: sqlite3.Connection, now: datetime) -> None:
    """Half-built shares that nobody came back to for a week are dead."""
    base.execute(
        "UPDATE shares SET state = 'dead' WHERE state = 'building' AND created_at < ?",
        ((now - ABANDONED_AFTER).isoformat(),),
    )


def purge_dead(base: sqlite3.Connection, between: Callable[[], None]) -> None:
    """Delete the rows of dead shares, some thousand at a time, calling `between` after each of the transactions."""
    for (share,) in base.execute("SELECT id FROM shares WHERE state = 'dead'").fetchall():
        while _purge_some(base, share):
            between()


def count_rows(base: sqlite3.Connection) -> tuple[int, int]:
    """(live rows, generation)."""
    rows = base.execute("SELECT coalesce(sum(row_count), 0) FROM shares WHERE state = 'live'").fetchone()[0]
    return rows, current_generation(base)


def current_generation(base: sqlite3.Connection) -> int:
    """It begins at 1 and moves when content that was made aside is swapped in."""
    return int(base.execute("SELECT value FROM meta WHERE name = 'generation'").fetchone()[0])


def _purge_some(base: sqlite3.Connection, share: int) -> bool:
    with transaction(base):
        found = base.execute("SELECT id FROM rows WHERE share = ? LIMIT ?", (share, PURGE_ROWS))
        ids = [id_ for (id_,) in found]
        delete_rows(base, share, ids)
        if not ids:
            for table in ("seen", "checkpoints", "documents"):
                base.execute(f"DELETE FROM {table} WHERE share = ?", (share,))  # noqa: S608 - fixed names
            base.execute("DELETE FROM shares WHERE id = ?", (share,))
    return bool(ids)
