"""The folder in which a backup is put together: beside its target, and held while somebody works on it. One that nobody
holds was left by somebody who was killed, and goes with the next backup made there."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.store import STORE_FILE

_NAME = re.compile(r"\..+\.\d+\.partial")


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """Removed at last, with the file that `packed_of` names, unless they were moved."""
    for path in target.parent.glob(".*.partial"):
        if _NAME.fullmatch(path.name):
            _remove_forsaken(path)
    aside = target.with_name(f".{target.name}.{os.getpid()}.partial")
    aside.mkdir(mode=0o700)
    held = _opened(aside)
    try:
        with suppress(OSError):  # where folders cannot be locked, nobody removes what others left either
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield aside
    finally:
        _remove(aside)
        os.close(held)


def packed_of(aside: Path) -> Path:
    """Where the folder is made one file."""
    return aside.with_name(aside.name + ".tar")


def _remove_forsaken(aside: Path) -> None:
    """It is a backup's if there is a store in it; until then its maker may not have it in hand yet."""
    if aside.is_symlink() or not (aside / STORE_FILE).is_file():
        return
    with suppress(OSError):
        held = _opened(aside)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(aside)
        finally:
            os.close(held)


def _remove(aside: Path) -> None:
    """The file first: it is known by the folder."""
    packed_of(aside).unlink(missing_ok=True)
    shutil.rmtree(aside, ignore_errors=True)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
