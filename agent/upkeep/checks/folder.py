"""The folder: who can reach into it, how much room is left, what fills it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from agent.upkeep.findings import Finding, error, warning
from agent.upkeep.layout import BLOBS, Layout
from agent.upkeep.sizes import size_of
from shared.places import run_dir, socket_path
from shared.sizes import show_size

ROOM_NEEDED = 200_000_000
ROOM_WANTED = 2_000_000_000
"""Bytes free on the disk: less than the one is an error, less than the other a warning."""


def sizes_of(layout: Layout) -> dict[str, int]:
    """Bytes by what they are, and how many are free."""
    return {
        "store": sum(map(size_of, layout.root.glob(f"{layout.store.name}*"))),
        "knowledge": size_of(layout.knowledge),
        "datasets": size_of(layout.datasets),
        "attached": size_of(layout.root / BLOBS),
        "logs": size_of(layout.logs),
        "free": shutil.disk_usage(layout.root).free,
    }


def check_folder(layout: Layout, sizes: Mapping[str, int]) -> Iterator[Finding]:
    yield from _check_room(layout, sizes)
    if layout.restoring.exists() and not layout.is_half_restored():
        sentence = f"{layout.restoring} is of a restore that is at work, or was ended before it changed anything"
        yield warning("folder", sentence, "if none is at work, run it again, or remove that folder")
    for path, allowed in (
        (layout.root, 0o700),
        (layout.store, 0o600),
        (layout.key, 0o600),
        (run_dir(layout.root), 0o750),
        (socket_path(layout.root), 0o660),
    ):
        yield from _check_mode(path, allowed)


def _check_room(layout: Layout, sizes: Mapping[str, int]) -> Iterator[Finding]:
    free = sizes["free"]
    if free < ROOM_WANTED:
        say = error if free < ROOM_NEEDED else warning
        sentence = f"{show_size(free)} are free on the disk of {layout.root}"
        yield say("disk", sentence, "make room: without any, no run can start and no log is written")
    if sizes["logs"] > max(free, ROOM_WANTED):
        sentence = f"the logs of runs take {show_size(sizes['logs'])}, more than is free"
        yield warning("logs", sentence, "see which jobs say so much, or lower keep_runs_for and keep_runs")


def _check_mode(path: Path, allowed: int) -> Iterator[Finding]:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    mode = stat.S_IMODE(found.st_mode)
    if mode & ~allowed & 0o077:
        yield error(
            "permissions", f"others can reach {path} (mode {mode:o})", f"chmod {mode & (allowed | 0o700):o} {path}"
        )
    if found.st_uid != path.parent.lstat().st_uid and found.st_uid != os.geteuid():
        yield warning(
            "permissions", f"{path} belongs to another user (uid {found.st_uid})", "chown it to the agent's user"
        )
