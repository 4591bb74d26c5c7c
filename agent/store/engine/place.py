"""Whether the store's file still stands where it was opened: one that was deleted or replaced would take writes as ever,
and all of them would be gone when the agent ends. So it is given none: one
looks before each commit, and now and then while there is none, so that it is noticed without."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextvars import Context
from os.path import samestat
from pathlib import Path

from shared.errors import Unavailable

LOOKS_EVERY = 2.0
"""Seconds between two looks while nothing is written."""


class Place:
    def __init__(self, path: Path) -> None:
        self._path = str(path)  # every commit looks
        self._opened = path.stat()

    def is_kept(self) -> bool:
        try:
            return samestat(self._opened, os.stat(self._path))  # noqa: PTH116
        except OSError:
            return False

    def check(self) -> None:
        """Unavailable if another file stands there, or none."""
        if not self.is_kept():
            raise Unavailable(
                f"the store's file {self._path} was deleted or replaced under the agent, which stores nothing from then on; "
                "put it back, and the agent goes on by itself, or stop it and restore the last backup"
            )


class Watch:
    """Looks now and then, and says when the file went or came back."""

    def __init__(self, place: Place, changed: Callable[[], None]) -> None:
        self._place = place
        self._changed = changed
        self._was_kept = True
        self._next: asyncio.Handle | None = None

    def start(self) -> None:
        # Within nobody's context: who opened the store is not who finds its file gone.
        self._next = asyncio.get_running_loop().call_later(LOOKS_EVERY, self._look, context=Context())

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()

    def _look(self) -> None:
        was_kept, self._was_kept = self._was_kept, self._place.is_kept()
        if self._was_kept != was_kept:
            self._changed()
        self.start()
