"""One writer at a time for each knowledge base, across processes. The kernel releases the lock when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.core.driving import DriverError, RunContext

LOCK_NAME = "writer.lock"
POLL_SECONDS = 0.1
REMIND_SECONDS = 60.0


@contextmanager
def writer_lock(folder: Path, context: RunContext, name: str, what: str = "knowledge base") -> Iterator[None]:
    """Hold the right to write; waits for it, saying in the run's log who holds it. RunCancelled ends the wait.
    DriverError(kind='superseded') for an attempt that a later one of its run was before, 'gone' when the folder was
    deleted since the run was granted it."""
    try:
        # Not inherited by child processes: a stray one would keep the lock after its run.
        handle = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        raise _gone(f"{what} '{name}'") from None
    try:
        _wait(handle, context, f"{what} '{name}'")
        _refuse_the_gone(handle, folder, f"{what} '{name}'")
        _refuse_the_late(handle, context, f"{what} '{name}'")
        _sign(handle, context)
        yield
    finally:
        os.close(handle)


def try_lock(folder: Path) -> int | None:
    """The lock as a file descriptor to close, or None if a writer holds it."""
    handle = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if _taken(handle):
        return handle
    os.close(handle)
    return None


def holder(folder: Path) -> str:
    """Who signed the lock last, in words."""
    handle = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _signature(handle)
    finally:
        os.close(handle)


def _wait(handle: int, context: RunContext, base: str) -> None:
    remind_at = context.clock.monotonic()
    while not _taken(handle):
        if context.clock.monotonic() >= remind_at:
            context.log(f"waiting: {_signature(handle)} writes to {base}")
            remind_at += REMIND_SECONDS
        context.cancelled.wait(POLL_SECONDS)
        context.check_cancelled()


def _refuse_the_gone(handle: int, folder: Path, base: str) -> None:
    """Who deletes holds the lock too: what waited for it would make the folder anew, and fill it for nobody."""
    try:
        in_place = os.path.samestat(os.fstat(handle), (folder / LOCK_NAME).stat())
    except FileNotFoundError:
        in_place = False
    if not in_place:
        raise _gone(base)


def _gone(base: str) -> DriverError:
    return DriverError("gone", f"{base} was deleted before this run could write to it")


def _refuse_the_late(handle: int, context: RunContext, base: str) -> None:
    """A worker that was stopped, and went on when its run had been given to another, has nothing to write any more."""
    signed = _signed(handle)
    if signed.get("run") == context.run_id and signed.get("attempt", 0) > context.attempt:
        raise DriverError(
            "superseded",
            f"attempt {signed['attempt']} of this run has written to {base} since; attempt"
            f" {context.attempt} changes nothing any more",
        )


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(handle: int, context: RunContext) -> None:
    signature = {
        "run": context.run_id,
        "attempt": context.attempt,
        "job": context.job_name,
        "pid": os.getpid(),
        "since": context.clock.now().isoformat(timespec="seconds"),
    }
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(signature).encode(), 0)


def _signature(handle: int) -> str:
    signed = _signed(handle)
    try:
        return f"job '{signed['job']}' (run {signed['run']}, process {signed['pid']}, since {signed['since']})"
    except KeyError:
        return "another process"


def _signed(handle: int) -> dict[str, Any]:
    """Who signed last; empty if it cannot be read."""
    try:
        found = json.loads(os.pread(handle, 4096, 0))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
