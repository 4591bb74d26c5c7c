"""The store's log gets the length at once that it would grow to: a commit that makes a file longer takes the disk twice as
long as one that writes over what is there."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextvars import Context
from pathlib import Path
from typing import Any

from agent.store.engine.engine import BEGIN_WRITING, CACHE, CHECKPOINT_PAGES, PAGE

SETTLED = 1.0
"""Seconds after which a store that was opened is here to stay."""
MUCH = 1_000_000_000
"""Bytes that must be free: where room is short, none is taken before it is needed."""
LENGTH = CHECKPOINT_PAGES * PAGE
_PIECE = 64 * 1024


class Lengthening:
    """Once, when the store was opened and is quiet."""

    def __init__(self, store: Path, is_quiet: Callable[[], bool], lengthen: Callable[[], None]) -> None:
        self._log = Path(f"{store}-wal")
        self._is_quiet = is_quiet
        self._lengthen = lengthen
        self._next: asyncio.Handle | None = None

    def start(self) -> None:
        # Within nobody's context: who opened the store does not write this.
        self._next = asyncio.get_running_loop().call_later(SETTLED, self._look, context=Context())

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()

    def _look(self) -> None:
        if not self._is_quiet():
            self.start()
        elif self._is_short() and shutil.disk_usage(self._log.parent).free >= MUCH:
            self._lengthen()

    def _is_short(self) -> bool:
        return not self._log.exists() or self._log.stat().st_size < LENGTH


def lengthen(driver: Any) -> None:
    """By SQLite itself: what does not fit into a small cache is written to the log before its commit. Taken back, it
    leaves nothing but the room."""
    driver.execute("PRAGMA cache_size = 16")
    try:
        driver.execute(BEGIN_WRITING)
        driver.execute("CREATE TABLE room (filling)")
        driver.executemany("INSERT INTO room VALUES (zeroblob(?))", [(_PIECE,)] * (LENGTH // _PIECE))
    finally:
        driver.rollback()
        driver.execute(CACHE)
