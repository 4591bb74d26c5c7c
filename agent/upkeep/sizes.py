"""Bytes, counted and in words."""

from __future__ import annotations

import os
from pathlib import Path

_UNITS = ("kB", "MB", "GB", "TB")


def in_words(size: float) -> str:
    """`512 bytes`, `1.2 MB`; powers of 1000, as disks are sold."""
    if size < 1000:
        return f"{size:.0f} bytes"
    for unit in _UNITS:
        size /= 1000
        if size < 999.95 or unit == _UNITS[-1]:
            break
    return f"{size:.1f} {unit}"


def size_of(path: Path) -> int:
    """Bytes of the file, or of all files below the folder; 0 if there is none."""
    if not path.is_dir():
        return path.stat().st_size if path.exists() else 0
    total, waiting = 0, [str(path)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:  # deleted meanwhile
            continue
    return total
