"""A file system of a few megabytes that a test can fill, where the one who tests may mount one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PIECE = 64 * 1024


class SmallDisk:
    def __init__(self, root: Path) -> None:
        self.root = root
        self._filler = root / "filler"

    def fill(self) -> None:
        """To the last byte, as somebody else's file does it."""
        with self._filler.open("ab", buffering=0) as filler:
            for size in (_PIECE, 4096, 1):
                try:
                    while filler.write(b"\1" * size):
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        self._filler.unlink()


@contextmanager
def small_disk(root: Path, megabytes: int) -> Iterator[SmallDisk]:
    root.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(root)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system may be mounted here ({mounted.stderr.strip()}); test_disk_full.py does without")
    try:
        yield SmallDisk(root)
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True)
