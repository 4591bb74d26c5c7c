"""A knowledge base opened by a run that brings something in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from agent.core.driving import RunContext
from agent.core.wire import KnowledgeBaseGrant
from agent.resources.embedders import Embedder
from agent.resources.knowledge.embedding import granted_embedder
from agent.resources.knowledge.failures import naming_trouble
from agent.resources.knowledge.file import open_for_reading, open_for_writing
from agent.resources.knowledge.lock import writer_lock
from agent.resources.knowledge.room import RowRoom
from agent.resources.knowledge.shares import Share, drop_abandoned, purge_dead
from agent.resources.knowledge.writing import ShareWriter


class OpenedBase(NamedTuple):
    """What a run holds while it has the writer lock. `reading` sees what is committed."""

    base: sqlite3.Connection
    reading: sqlite3.Connection
    embedder: Embedder
    room: RowRoom

    def writer(self, share: Share) -> ShareWriter:
        return ShareWriter(self.base, self.reading, share, self.embedder, self.room)


@contextmanager
def opened_base(context: RunContext, target: KnowledgeBaseGrant) -> Iterator[OpenedBase]:
    """Waits for the right to write; then what earlier runs left behind when they were killed is cleared away."""
    folder = Path(target.path)
    with (
        naming_trouble(target.name),
        writer_lock(folder, context, target.name),
        granted_embedder(context, target) as embedder,
        closing(open_for_writing(folder)) as base,
        closing(open_for_reading(folder)) as reading,
    ):
        drop_abandoned(base, context.clock.now())
        purge_dead(base, context.check_cancelled)
        yield OpenedBase(base, reading, embedder, RowRoom(target.rows, folder))
