"""How many rows an account has in its knowledge bases, and whether there is room for more: the files are the truth, so
they are asked, and whoever adds rows holds the account's lock from before the count until they are committed."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from agent.core.driving import DriverError
from agent.core.wire import RowLimit
from agent.resources.knowledge.file import BUSY_SECONDS, FILE_NAME

_LOCK = ".rows.lock"
# What is built aside takes the place of what is live: of the two, the larger counts.
_COUNT = (
    "SELECT coalesce(sum(most), 0) FROM"
    " (SELECT max(row_count) AS most FROM shares WHERE state IN ('live', 'building') GROUP BY origin)"
)


def account_rows(folder: Path, without: str | None = None) -> int:
    """In all knowledge bases below the account's folder, but for the one whose folder has that name."""
    return sum(_rows_in(path) for path in folder.glob(f"*/{FILE_NAME}") if path.parent.name != without)


class RowRoom:
    """What keeps the rows of one account's base within its limit; None: any number."""

    def __init__(self, limit: RowLimit | None, base_folder: Path) -> None:
        self._limit = limit
        self._name = base_folder.name

    @contextmanager
    def lock(self) -> Iterator[None]:
        """To be held around a transaction that adds rows, so that two do not fill the same place."""
        if self._limit is None:
            yield
            return
        # Not inherited by child processes: a stray one would keep the lock after its run.
        handle = os.open(Path(self._limit.folder, _LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def keep(self, base: sqlite3.Connection) -> Iterator[None]:
        """Within a transaction, around what changes rows. DriverError(kind='limit_reached') where there are more than
        before and more than there may be: what makes none more is let through, however many there are."""
        if self._limit is None:
            yield
            return
        before = _counted(base)
        yield
        after = _counted(base)
        if after <= before:
            return
        others = account_rows(Path(self._limit.folder), without=self._name)
        if others + after > self._limit.most:
            raise _full(self._limit, others + before, after - before)


def _full(limit: RowLimit, used: int, more: int) -> DriverError:
    return DriverError(
        "limit_reached",
        f"the account '{limit.account_id}' has {used} rows in knowledge bases and may have {limit.most} (limit"
        f" knowledge_rows); this batch adds {more}: remove rows or knowledge bases, or have the limit raised",
    )


def _rows_in(path: Path) -> int:
    """0 where it goes at the same moment, or does not read: another base's damage keeps nobody from working."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=rw", timeout=BUSY_SECONDS, uri=True)) as base:
            return _counted(base)
    except sqlite3.DatabaseError:
        return 0


def _counted(base: sqlite3.Connection) -> int:
    return int(base.execute(_COUNT).fetchone()[0])
