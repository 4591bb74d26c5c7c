"""Small files that are the agent's user's alone: keys."""

from __future__ import annotations

import os
from pathlib import Path


def make_once(path: Path, content: bytes) -> None:
    """Of two processes that make it at the same moment one does, and both find it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = _write_aside(path, content)
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()


def replace(path: Path, content: bytes) -> None:
    """At any moment, a power cut's too, the file is the one before or the new one, each whole."""
    os.replace(_write_aside(path, content), path)  # noqa: PTH105
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_aside(path: Path, content: bytes) -> Path:
    """A file beside it, on the disk, that may take its place."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
    return aside
