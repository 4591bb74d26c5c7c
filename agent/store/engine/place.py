"""Whether the store's file, and the log beside it, still stand where they were opened: one that was deleted or replaced
would take writes as ever, and all of them would be gone when the agent ends. So it is given none: one
looks before each commit, and now and then while there is none, so that it is noticed without."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
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
        self._log_path = f"{path.resolve()}-wal"
        self._log: _Log | None = None

    def keep_log(self) -> None:
        """Look after the log too, until `leave`: it is there from the first question to the end of the last connection."""
        with suppress(FileNotFoundError):  # a disk on which SQLite has none
            self._log = _Log(self._log_path)

    def leave(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    def has_lost_log(self) -> bool:
        return self._log is not None and not self._log.stands()

    def is_kept(self) -> bool:
        return _stands(self._path, self._opened) and not self.has_lost_log()

    def check(self) -> None:
        """Unavailable if another file stands there, or none."""
        if self.is_kept():
            return
        if self.has_lost_log() and _stands(self._path, self._opened):
            raise Unavailable(
                f"the store's log {self._log_path} was deleted or replaced under the agent, which stores nothing from then on; "
                f"stop the agent and start it again: what it had stored is kept in {self._path}"
            )
        raise Unavailable(
            f"the store's file {self._path} was deleted or replaced under the agent, which stores nothing from then on; "
            "put it back, and the agent goes on by itself, or stop it and restore the last backup"
        )


def _stands(path: str, opened: os.stat_result) -> bool:
    try:
        return samestat(opened, os.stat(path))  # noqa: PTH116
    except OSError:
        return False


class _Log:
    """Held open, for the system to say under which name it stands. `stat` would tell its times too, and of a file whose times
    were asked for Linux (since 6.13) notes each write's own: without a journal that is one more write in each commit."""

    def __init__(self, path: str) -> None:
        """FileNotFoundError if there is none."""
        self._path = path
        self._opened = os.stat(path)  # noqa: PTH116
        self._held = os.open(path, os.O_PATH) if sys.platform == "linux" else None
        self._link = f"/proc/self/fd/{self._held}"
        self._name = self._named()

    def stands(self) -> bool:
        if self._name is None:  # where the system says no names
            return _stands(self._path, self._opened)
        return self._named() == self._name

    def close(self) -> None:
        if self._held is not None:
            os.close(self._held)

    def _named(self) -> str | None:
        """Another one from when it was renamed, or is deleted."""
        try:
            return os.readlink(self._link) if self._held is not None else None  # noqa: PTH115
        except OSError:
            return None


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
