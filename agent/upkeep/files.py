"""Files that are on the disk when they are said to be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


def new_file(path: Path) -> BinaryIO:
    """For its owner alone; FileExistsError if there is one."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


def private_folder(path: Path) -> None:
    """Made for its owner alone, and so are the folders above it that are not there yet."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=0o700)


def to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def settle(folder: Path) -> None:
    """The names of files reach the disk with their folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def settle_all(folder: Path) -> None:
    """The folder and all below it."""
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        settle(path)


def why(error: Exception) -> str:
    """One sentence of an error of the system."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
