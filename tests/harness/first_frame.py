"""How long a program takes to its first frame; `EMPTY` is an empty Textual app, to hold it against."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.harness.pty_app import PtyApp, start

_ROOT = Path(__file__).parents[2]
EMPTY = [sys.executable, "-m", "tests.harness.empty_app"]


class FirstFrame(NamedTuple):
    """Seconds from the start of the process to its first frame."""

    wall: float
    cpu: float


def first_frame(
    argv: Sequence[str], is_drawn: Callable[[PtyApp], bool], env: Mapping[str, str] | None = None
) -> FirstFrame:
    with start(argv, env={"PYTHONPATH": str(_ROOT)} | dict(env or {})) as app:
        wall = app.read_until(lambda: is_drawn(app))
        return FirstFrame(wall, app.cpu_seconds())
