"""What a knowledge base's file cannot do for the moment: full disks pass, and a run that met one is tried again."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from agent.core.driving import DriverError

_ROOM = "make room, and it goes on where it stopped"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PASSING = {
    sqlite3.SQLITE_FULL: ("disk_full", f"the disk is full; {_ROOM}"),
    sqlite3.SQLITE_IOERR: ("disk", "the disk does not take it"),
    sqlite3.SQLITE_BUSY: ("knowledge_base_locked", "another program has been writing to its file for too long"),
}


@contextmanager
def naming_trouble(name: str) -> Iterator[None]:
    """Turn what the disk under knowledge base `name` refuses inside the block into a DriverError worth a retry."""
    try:
        yield
    except sqlite3.OperationalError as error:
        # the low byte is the kind, the rest says where it happened
        kind, words = _PASSING.get(error.sqlite_errorcode & 0xFF, ("", ""))
        if not kind:
            raise
        raise DriverError(
            kind, f"knowledge base '{name}' cannot be written: {words} ({error})", transient=True
        ) from None
    except OSError as error:
        if error.errno not in _FULL:
            raise
        message = f"knowledge base '{name}' cannot be written: the disk is full; {_ROOM}"
        raise DriverError("disk_full", message, transient=True) from None
