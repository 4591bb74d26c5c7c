"""Files for others: written aside in their folder and renamed, all of them at the end."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from agent.core.driving import DriverError
from shared.clock import Clock

_MARK = ".jobdeck-"
_END = ".partial"
_ABANDONED = 24 * 3600
"""Seconds after which a partial file of another run is taken for one that was killed."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Delivery:
    """Into the folder behind the descriptor `folder`. `run_id` tells the partial files of one run from others'."""

    def __init__(self, folder: int, run_id: str, clock: Clock) -> None:
        self._folder = folder
        self._mark = f"{_MARK}{run_id}-"
        self._now = clock.now().timestamp()
        self._ready: list[tuple[str, str]] = []
        self._own = self._list_of_names()

    def sweep(self) -> int:
        """Remove partial files of this run's earlier attempts, and those that nobody came back to for a day. What they
        have put in place stays known: this attempt may be killed too."""
        gone = 0
        for name in os.listdir(self._folder):  # noqa: PTH208  (a descriptor)
            if name == self._names:
                continue
            if name.startswith(_MARK) and name.endswith(_END) and (name.startswith(self._mark) or self._is_old(name)):
                os.unlink(name, dir_fd=self._folder)
                gone += 1
        return gone

    def refuse_existing(self, name: str) -> None:
        """DriverError(kind='file_exists'), unless an earlier attempt of this run has put it there."""
        if name in self._own:
            return
        with suppress(FileNotFoundError):
            os.stat(name, dir_fd=self._folder, follow_symlinks=False)
            raise DriverError("file_exists", f"'{name}' is there already, and `if_exists` says that it stays")

    def bring(self, source: Path, name: str) -> None:
        """Copy the file beside its place, down to the disk."""
        partial = f"{self._mark}{len(self._ready)}{_END}"
        handle = os.open(partial, _NEW, 0o644, dir_fd=self._folder)
        with open(handle, "wb") as target, source.open("rb") as file:  # noqa: PTH123  (a descriptor)
            shutil.copyfileobj(file, target, 1024 * 1024)
            target.flush()
            os.fsync(target.fileno())
        self._ready.append((partial, name))

    def finish(self) -> list[str]:
        """Put all in place; their names. Which they are is written first: an attempt after this one knows them."""
        self._write_names()
        for partial, name in self._ready:
            os.rename(partial, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        os.fsync(self._folder)
        return [name for _, name in self._ready]

    def give_up(self) -> None:
        for partial, _ in self._ready:
            with suppress(FileNotFoundError):
                os.unlink(partial, dir_fd=self._folder)

    def _list_of_names(self) -> list[str]:
        try:
            handle = os.open(self._names, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)
        except FileNotFoundError:
            return []
        with open(handle, encoding="utf-8") as file:  # noqa: PTH123  (a descriptor)
            return file.read().splitlines()

    def _write_names(self) -> None:
        aside = f"{self._mark}new-names{_END}"
        handle = os.open(aside, _NEW, 0o600, dir_fd=self._folder)
        with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write("\n".join(dict.fromkeys([*self._own, *(name for _, name in self._ready)])))
            file.flush()
            os.fsync(file.fileno())
        os.rename(aside, self._names, src_dir_fd=self._folder, dst_dir_fd=self._folder)

    @property
    def _names(self) -> str:
        """Swept away a day later, as what is partial."""
        return f"{self._mark}names{_END}"

    def _is_old(self, name: str) -> bool:
        try:
            return os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_mtime < self._now - _ABANDONED
        except FileNotFoundError:
            return False
