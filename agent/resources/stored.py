"""How many bytes an account has stored, and whether there is room for more: files are what is there, so files are
counted, and whoever adds one holds the account's lock from the count until it is in its place."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.core.wire import StoredLimit
from shared.errors import LimitReached
from shared.sizes import show_size

_LOCK = ".stored.lock"


def stored_bytes(folders: Iterable[str]) -> int:
    """Of all files below, but for locks and what is written aside, which begin with a dot."""
    places = (place for folder in folders for place in os.walk(folder))
    return sum(_size(f"{place}/{name}") for place, _, names in places for name in names if not name.startswith("."))


@contextmanager
def room_for(size: int, account_id: str, limit: StoredLimit | None) -> Iterator[None]:
    """Within the block a file of that size is put into its place. LimitReached before it, where there is no room."""
    if limit is None:
        yield
        return
    with _locked(Path(limit.folders[0])):
        used = stored_bytes(limit.folders)
        if used + size > limit.most:
            raise _full(account_id, used, size, limit.most)
        yield


def _full(account_id: str, used: int, size: int, most: int) -> LimitReached:
    has = f"the account '{account_id}' has stored {show_size(used)} and may store {show_size(most, used)}"
    message = f"{has}; this takes {show_size(size)}: delete snapshots or attachments, or have the limit raised"
    return LimitReached(message, "stored_bytes", most)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _size(path: str) -> int:
    with suppress(OSError):  # it goes at the same moment
        return os.lstat(path).st_size
    return 0
