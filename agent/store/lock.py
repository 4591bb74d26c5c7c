"""One agent to a store file."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from pathlib import Path
from typing import IO

from shared.clock import Clock
from shared.errors import Conflict, Unavailable


class StoreLock:
    """Held until `release` or the end of the process, however it ends: the kernel keeps it.

    The file names the holder. It is never deleted: whoever deleted it while another waits would let two hold it.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def release(self) -> None:
        self._file.close()


def take_lock(store: Path, clock: Clock) -> StoreLock:
    """Lock the store's file by `<store>.lock` beside it.

    Conflict, naming the holder, if another process has it; Unavailable if the file cannot be made.
    """
    path = store.with_name(store.name + ".lock")
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"the lock {path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        text = file.read()
        file.close()
        raise Conflict(_sentence(path, text)) from None
    _sign(file, clock)
    return StoreLock(file)


def _sign(file: IO[str], clock: Clock) -> None:
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "started": clock.now().isoformat()}
    file.truncate(0)
    file.write(json.dumps(holder))
    file.flush()


def _sentence(path: Path, text: str) -> str:
    remedy = "stop that agent first, or give this one another --data-dir"
    try:
        holder = json.loads(text)
        who = f"pid {holder['pid']} on {holder['host']}, since {holder['started']}"
    except (ValueError, KeyError, TypeError):
        who = f"the holder of {path}"
    return f"another agent works on this store: {who}; {remedy}"
