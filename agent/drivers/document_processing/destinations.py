"""Where chunks go: into a knowledge base, document by document, or into a file that appears at the end."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, Protocol

from agent.core.driving import DriverError, RunCancelled, RunContext
from agent.drivers.document_processing.reading import Document
from agent.resources.datasets.delivering import Delivery
from agent.resources.knowledge.documents import (
    StoredDocument,
    chunk_key,
    forget_documents,
    put_documents,
    rows_behind,
    stored_documents,
)
from agent.resources.knowledge.shares import purge_dead, swap_in
from agent.resources.knowledge.writing import Batch, Checkpoint, KnowledgeRow, ShareWriter

CHUNKS_AT_ONCE = 500
DOCUMENTS_AT_ONCE = 100


class Destination(Protocol):
    chunks: int
    """Of the documents that this run has brought, in all its attempts."""
    embedded: int
    """Chunks given to the embedder by this attempt."""
    removed: int

    def has(self, name: str, fingerprint: bytes) -> bool:
        """Whether it has this document as it is, so that it need not be read."""

    def put(self, document: Document, fingerprint: bytes) -> None: ...

    def remove_others(self, names: Collection[str]) -> None:
        """Remove what is neither in `names` nor brought by this run. DriverError(kind='nothing_found') without names."""

    def finish(self) -> int:
        """Everything is in its place from now on; how many documents this run has brought, in all its attempts."""


class IntoBase:
    """Documents and what is known of them are committed together: whatever ends the run, those that are committed are
    not read again by the next attempt. A share that is built aside is swapped in at the end."""

    def __init__(self, context: RunContext, writer: ShareWriter) -> None:
        self.chunks = self.embedded = self.removed = 0
        self._context = context
        self._writer = writer
        self._base = writer.base
        self._share = writer.share
        self._stored = stored_documents(self._base, self._share.id)
        self._waiting: list[tuple[Document, bytes]] = []

    def has(self, name: str, fingerprint: bytes) -> bool:
        known = self._stored.get(name)
        return known is not None and known.fingerprint == fingerprint

    def put(self, document: Document, fingerprint: bytes) -> None:
        self._waiting.append((document, fingerprint))
        chunks = sum(len(waiting.chunks) for waiting, _ in self._waiting)
        if chunks >= CHUNKS_AT_ONCE or len(self._waiting) >= DOCUMENTS_AT_ONCE:
            self._flush()

    def remove_others(self, names: Collection[str]) -> None:
        if self._stored and not names:
            raise DriverError(
                "nothing_found",
                f"no file was found, and the knowledge base has {len(self._stored)} documents of them: nothing is"
                " removed. Is the folder mounted? To empty it, delete the knowledge base or take another origin",
            )
        gone = [stored for name, stored in self._stored.items() if name not in names]
        for start in range(0, len(gone), DOCUMENTS_AT_ONCE):
            self._context.check_cancelled()
            self._remove(gone[start : start + DOCUMENTS_AT_ONCE])

    def finish(self) -> int:
        self._flush()
        if self._share.state == "building":
            swap_in(self._base, self._share)
            with suppress(RunCancelled):  # what is dead is in nobody's way: the next run may clear it away
                purge_dead(self._base, self._context.check_cancelled)
        brought = [stored for stored in self._stored.values() if stored.run_id == self._context.run_id]
        self.chunks = sum(stored.chunks for stored in brought)
        return len(brought)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        batch = self._writer.prepare([row for document, _ in waiting for row in _rows(document)])
        fresh = [
            StoredDocument(document.name, fingerprint, len(document.chunks), self._context.run_id)
            for document, fingerprint in waiting
        ]
        for stored in fresh:
            if before := self._stored.get(stored.name):
                batch.replaced += rows_behind(self._base, self._share.id, before, stored.chunks)
        self._context.check_cancelled()
        self._writer.commit(batch, self._checkpoint(), along=lambda base: put_documents(base, self._share.id, fresh))
        self.embedded += batch.embedded
        self._stored |= {stored.name: stored for stored in fresh}

    def _remove(self, gone: list[StoredDocument]) -> None:
        names = [stored.name for stored in gone]
        rows = [id_ for stored in gone for id_ in rows_behind(self._base, self._share.id, stored, 0)]
        batch = Batch(replaced=rows)
        self._writer.commit(batch, self._checkpoint(), along=lambda base: forget_documents(base, self._share.id, names))
        for name in names:
            del self._stored[name]
        self.removed += len(names)

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint("{}", None, None, self._context.run_id, "{}")


class IntoFile:
    """One JSON object a line: `file`, `chunk`, `page`, `text`, `metadata`. Made anew by each attempt."""

    def __init__(self, context: RunContext, folder: int, output: str) -> None:
        self.chunks = self.embedded = self.removed = 0
        self._documents = 0
        self._delivery = Delivery(folder, context.run_id, context.clock)
        self._delivery.sweep()
        self._name = PurePosixPath(output).name
        self._made = context.scratch / "documents.part"
        self._file = self._made.open("w", encoding="utf-8")

    def has(self, _name: str, _fingerprint: bytes) -> bool:
        return False

    def put(self, document: Document, _fingerprint: bytes) -> None:
        for number, chunk in enumerate(document.chunks):
            line = {"file": document.name, "chunk": number, **_page(chunk.page), "text": chunk.text}
            json.dump({**line, "metadata": document.metadata}, self._file, ensure_ascii=False)
            self._file.write("\n")
        self.chunks += len(document.chunks)
        self._documents += 1

    def remove_others(self, _names: Collection[str]) -> None:
        """There are none."""

    def finish(self) -> int:
        self._file.close()
        try:
            self._delivery.bring(self._made, self._name)
            self._delivery.finish()
        except OSError as error:
            raise DriverError("file", f"'{self._name}' cannot be written: {error.strerror}") from None
        return self._documents

    def close(self) -> None:
        """Whatever happened; nothing half made stays."""
        self._file.close()
        self._made.unlink(missing_ok=True)
        self._delivery.give_up()


def _rows(document: Document) -> list[KnowledgeRow]:
    return [
        KnowledgeRow(
            chunk_key(document.name, number),
            chunk.text,
            {**document.metadata, "file": document.name, "chunk": number, **_page(chunk.page)},
        )
        for number, chunk in enumerate(document.chunks)
    ]


def _page(page: int | None) -> dict[str, Any]:
    return {} if page is None else {"page": page}
