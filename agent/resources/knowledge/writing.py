"""Bringing rows into a share: what changed is embedded, then rows and checkpoint are committed as one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from agent.core.driving import DriverError
from agent.resources.embedders import Embedder
from agent.resources.knowledge.attributes.form import canonical, form_of, showing
from agent.resources.knowledge.file import transaction
from agent.resources.knowledge.room import RowRoom
from agent.resources.knowledge.rows import NewAttributes, NewRow, delete_rows, insert_rows, mark_seen, update_attributes
from agent.resources.knowledge.shares import Share

_UNKNOWN = (None, b"", b"")


class KnowledgeRow(NamedTuple):
    """A row as the source has it now. `key` is unique within its origin; attributes are plain JSON values."""

    key: str
    text: str
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a share is. All but `run_id` are JSON texts of the caller's making; None where there is none."""

    scope: str
    watermark: str | None
    scan: str | None
    run_id: str
    counts: str


@dataclass(slots=True)
class Batch:
    """What is to be done to make the share agree with some rows of the source."""

    inserts: list[NewRow] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    attributes: list[NewAttributes] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    unchanged: int = 0
    embedded: int = 0
    bytes: int = 0

    @property
    def changed(self) -> int:
        return len(self.inserts) + len(self.attributes)


class ShareWriter:
    """Writes one share; the caller holds the base's writer lock.

    `prepare` reads through a connection of its own, so that it can work while another thread is in `commit`.
    """

    def __init__(
        self,
        base: sqlite3.Connection,
        reading: sqlite3.Connection,
        share: Share,
        embedder: Embedder,
        room: RowRoom,
    ) -> None:
        self.base = base
        self._reading = reading
        self.share = share
        self._embedder = embedder
        self._room = room
        self._shown = showing(form_of(base, share.identity.origin))

    def prepare(self, rows: Sequence[KnowledgeRow]) -> Batch:
        """Compare by content hash with what the share has, and embed what is new; nothing is written yet.
        None of the rows may be in a batch that is being committed."""
        known = self._known(rows)
        batch = Batch()
        changed: list[NewRow] = []
        for row in rows:
            encoded, attributes = row.text.encode(), canonical(row.attributes)
            text_hash, attributes_hash = digest(encoded), digest(attributes.encode())
            id_, old_text, old_attributes = known.get(row.key, _UNKNOWN)
            if id_ is not None and old_text == text_hash and old_attributes == attributes_hash:
                batch.kept.append(id_)
                batch.unchanged += 1
                continue
            batch.bytes += len(encoded)
            shown, source = self._shown(row.attributes, attributes)
            if id_ is not None and old_text == text_hash:
                batch.kept.append(id_)
                batch.attributes.append(NewAttributes(shown, attributes_hash, source, id_))
                continue
            changed.append(NewRow(self.share.id, row.key, row.text, shown, text_hash, attributes_hash, b"", source))
            if id_ is not None:
                batch.replaced.append(id_)
        self._embed(changed, batch)
        return batch

    def commit(
        self,
        batch: Batch,
        checkpoint: Checkpoint,
        *,
        whole: bool = False,
        along: Callable[[sqlite3.Connection], None] | None = None,
    ) -> None:
        """Write the batch and how far the share is now, in one transaction. `whole`: remember which rows were met;
        `along` writes what the caller keeps beside them. DriverError(kind='limit_reached')."""
        with self._room.lock(), transaction(self.base):
            with self._room.keep(self.base):
                delete_rows(self.base, self.share.id, batch.replaced)
                fresh = insert_rows(self.base, self.share.id, batch.inserts)
            update_attributes(self.base, batch.attributes)
            if whole:
                mark_seen(self.base, self.share.id, (*batch.kept, *fresh))
            if along:
                along(self.base)
            self._save(checkpoint)

    def checkpoint(self) -> Checkpoint | None:
        row = self.base.execute(
            "SELECT scope, watermark, scan, run_id, counts FROM checkpoints WHERE share = ?", (self.share.id,)
        ).fetchone()
        return Checkpoint(*row) if row else None

    def save(self, checkpoint: Checkpoint, *, forget_seen: bool = False) -> None:
        with transaction(self.base):
            if forget_seen:
                self.base.execute("DELETE FROM seen WHERE share = ?", (self.share.id,))
            self._save(checkpoint)

    def unseen(self, limit: int) -> list[int]:
        """Up to `limit` ids of rows that the scan of the whole source did not meet."""
        return [
            id_
            for (id_,) in self.base.execute(
                "SELECT id FROM rows WHERE share = ?1 AND NOT EXISTS"
                " (SELECT 1 FROM seen WHERE seen.share = ?1 AND seen.row = rows.id) LIMIT ?2",
                (self.share.id, limit),
            )
        ]

    def delete(self, ids: Sequence[int], checkpoint: Checkpoint) -> None:
        with transaction(self.base):
            delete_rows(self.base, self.share.id, ids)
            self._save(checkpoint)

    def _known(self, rows: Sequence[KnowledgeRow]) -> dict[str, tuple[int, bytes, bytes]]:
        keys = [row.key for row in rows]
        if len(set(keys)) != len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise DriverError(
                "duplicate_key", f"the key {twice} names two rows of the source; name key_columns that tell rows apart"
            )
        found = self._reading.execute(
            "SELECT key, id, text_hash, attributes_hash FROM rows"
            " WHERE share = ? AND key IN (SELECT value FROM json_each(?))",
            (self.share.id, json.dumps(keys)),
        )
        return {key: (id_, text_hash, attributes_hash) for key, id_, text_hash, attributes_hash in found}

    def _embed(self, changed: list[NewRow], batch: Batch) -> None:
        if not changed:
            return
        vectors = self._embedder.embed([row.text for row in changed])
        batch.inserts = [row._replace(vector=vector.tobytes()) for row, vector in zip(changed, vectors, strict=True)]
        batch.embedded = len(changed)

    def _save(self, checkpoint: Checkpoint) -> None:
        self.base.execute(
            "INSERT OR REPLACE INTO checkpoints (share, scope, watermark, scan, run_id, counts)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                self.share.id,
                checkpoint.scope,
                checkpoint.watermark,
                checkpoint.scan,
                checkpoint.run_id,
                checkpoint.counts,
            ),
        )


def digest(data: bytes) -> bytes:
    """The content hash: 16 bytes of BLAKE2b."""
    return blake2b(data, digest_size=16).digest()
