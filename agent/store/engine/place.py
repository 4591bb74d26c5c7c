"""Whether the store's file still stands where it was opened: one that was deleted or replaced takes writes as ever, and all
of them are gone when the agent ends."""

from __future__ import annotations

from os.path import samestat
from pathlib import Path

from shared.errors import Unavailable


class Place:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = path.stat()

    def check(self) -> None:
        """Unavailable if another file stands there, or none."""
        try:
            is_same = samestat(self._opened, self._path.stat())
        except OSError:
            is_same = False
        if not is_same:
            raise Unavailable(
                f"the store's file {self._path} was deleted or replaced under the agent: what is written since is lost "
                "when it ends; stop it, and restore the last backup"
            )
