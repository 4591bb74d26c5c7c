"""Batches on their way into a share: one is compared and embedded while the one before it is committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from agent.resources.knowledge.writing import Batch, Checkpoint, KnowledgeRow, ShareWriter


@dataclass(frozen=True, slots=True)
class _Commit:
    """A commit under way, and what is said once it is done."""

    future: Future[None]
    keys: set[str]
    done: Callable[[], None]


class Relay:
    """Used by one thread, as a context manager; there are never two commits at once. `settle` before it is left, or
    the last commit ends unheard."""

    def __init__(self, writer: ShareWriter) -> None:
        self._writer = writer
        self._committing = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._under_way: _Commit | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._committing.shutdown()

    def prepare(self, rows: Sequence[KnowledgeRow]) -> Batch:
        """What is to be done about these rows; all that was given to be committed before is committed now."""
        if self._under_way and not self._under_way.keys.isdisjoint(row.key for row in rows):
            # A row moved on in the source while it was read: it is compared with what was just written.
            self.settle()
        batch = self._writer.prepare(rows)
        self.settle()
        return batch

    def commit(
        self,
        batch: Batch,
        rows: Sequence[KnowledgeRow],
        checkpoint: Checkpoint,
        done: Callable[[], None],
        *,
        whole: bool = False,
    ) -> None:
        """Begin to; `rows` are those that the batch was prepared for, `done` is called by `settle`."""
        future = self._committing.submit(self._writer.commit, batch, checkpoint, whole=whole)
        self._under_way = _Commit(future, {row.key for row in rows}, done)

    def settle(self) -> None:
        """Wait for the commit under way; raises what it raised."""
        commit, self._under_way = self._under_way, None
        if commit is not None:
            commit.future.result()
            commit.done()
