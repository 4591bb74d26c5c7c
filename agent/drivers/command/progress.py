"""How a program tells of its progress: by lines of its output."""

from __future__ import annotations

import re

_PROGRESS = re.compile(r"::progress\s+(\d{1,18})(?:/(\d{1,18}))?(?:\s+(.*))?")


def parse_progress(line: str) -> tuple[int, int | None, str] | None:
    """(done, total, note) of `::progress 3/10 note`; None for any other line."""
    if not line.startswith("::progress"):
        return None
    match = _PROGRESS.fullmatch(line.rstrip())
    if match is None:
        return None
    done, total, note = match.groups()
    return int(done), int(total) if total else None, note or ""
