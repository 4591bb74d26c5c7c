"""One agent to a store file."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

from shared.clock import Clock
from shared.errors import Conflict, Unavailable

Purpose = Literal["agent", "maintenance", "restore"]

_HOLDERS = {
    "agent": "another agent works on this store",
    "maintenance": "another agent, in maintenance, holds this store",
    "restore": "a restore is at work on this store",
}
_ELSEWHERE = "or give this one another --data-dir"
_FROM_CREATION = 5.0
"""Seconds that a process may seem younger than its own signature: the kernel counts its birth in ticks since boot."""


class StoreLock:
    """Held until `release` or the end of the process, however it ends: the kernel keeps it.

    The file names the holder, and holds between machines that share a disk. It can be deleted by hand, the folder that
    the store lies in cannot: so that is locked too.
    """

    def __init__(self, file: IO[str], folder: int | None = None) -> None:
        self._file = file
        self._folder = folder

    def release(self) -> None:
        if self._folder is not None:  # first, so that nobody finds it held and the file free
            os.close(self._folder)
        self._file.close()


def take_lock(store: Path, clock: Clock, purpose: Purpose = "agent") -> StoreLock:
    """Lock the store's file by `<store>.lock` beside it; by whatever links it is reached, it is one file.

    Conflict, naming the holder, how it is and what to do, if another process has it; Unavailable if the file cannot be
    made or written.
    """
    whole = store.resolve()
    path = whole.with_name(whole.name + ".lock")
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
    try:
        folder = _lock_folder(whole.parent)
    except BlockingIOError:
        file.close()
        raise Conflict(_unnamed(path)) from None
    lock = StoreLock(file, folder)
    try:
        _sign(file, clock, purpose)
    except OSError as error:
        with suppress(OSError):  # what could not be written is tried once more
            lock.release()
        raise Unavailable(f"the lock {path} cannot be written: {error.strerror}; make room") from error
    return lock


def _lock_folder(path: Path) -> int | None:
    """BlockingIOError if another process has it; None where folders cannot be locked, and the file is all there is."""
    try:
        folder = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(folder)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return folder


def _unnamed(path: Path) -> str:
    return (
        f"another agent works on this store, and {path}, which named it, was deleted or replaced; "
        f"stop it first (`fuser {path.parent}` tells its pid), {_ELSEWHERE}"
    )


def _sign(file: IO[str], clock: Clock, purpose: Purpose) -> None:
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "started": clock.now().isoformat(timespec="seconds"),
        "purpose": purpose,
    }
    file.truncate(0)
    file.write(json.dumps(holder))
    file.flush()


def _sentence(path: Path, text: str) -> str:
    try:
        holder = json.loads(text)
        pid, host, started = int(holder["pid"]), str(holder["host"]), datetime.fromisoformat(holder["started"])
    except (ValueError, KeyError, TypeError):
        return f"another agent works on this store: the holder of {path}; stop it first, {_ELSEWHERE}"
    what = _HOLDERS.get(holder.get("purpose"), _HOLDERS["agent"])
    state, remedy = _state(pid, started) if host == socket.gethostname() else _far_away(host)
    return f"{what}: pid {pid} on {host}, since {started.isoformat()}; {state}; {remedy}, {_ELSEWHERE}"


def _state(pid: int, started: datetime) -> tuple[str, str]:
    """(how the holder is, what to do about it)."""
    import psutil  # type: ignore[import-untyped]  # only a refusal needs it

    try:
        process = psutil.Process(pid)
        is_same = process.create_time() <= started.timestamp() + _FROM_CREATION
        status: Any = process.status()
    except psutil.Error:
        is_same, status = False, None
    if not is_same:
        return "that process is gone, and one that it started holds the lock", "see `fuser` on the .lock file, end that"
    if status == psutil.STATUS_STOPPED:
        return (
            "it is stopped (by SIGSTOP or Ctrl-Z) and keeps the store all the same",
            f"`kill -CONT {pid}` lets it go on, `kill -KILL {pid}` ends it",
        )
    return "it is running", f"stop it first (`kill {pid}`, or its service)"


def _far_away(host: str) -> tuple[str, str]:
    return f"how it is can be seen on {host} only", "stop it there first"
