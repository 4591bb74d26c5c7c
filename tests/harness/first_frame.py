"""How long a program takes to its first frame, against an empty Textual app on the same machine at the same time.

    ratio = first_frame_ratio([sys.executable, "-m", "console"], lambda app: "Runs" in app.text, env={...})
    assert ratio.cpu <= 1.3

`cpu` is what a test can hold: the wall clock of a busy machine says little.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.harness.pty_app import PtyApp, start

_ROOT = Path(__file__).parents[2]
_EMPTY = [sys.executable, "-m", "tests.harness.empty_app"]


class FirstFrame(NamedTuple):
    """Seconds (or a ratio of them) from the start of the process to its first frame."""

    wall: float
    cpu: float


def first_frame(
    argv: Sequence[str], is_drawn: Callable[[PtyApp], bool], env: Mapping[str, str] | None = None
) -> FirstFrame:
    with start(argv, env={"PYTHONPATH": str(_ROOT)} | dict(env or {})) as app:
        wall = app.read_until(lambda: is_drawn(app), deadline=30.0)
        return FirstFrame(wall, app.cpu_seconds())


def first_frame_ratio(
    argv: Sequence[str],
    is_drawn: Callable[[PtyApp], bool],
    env: Mapping[str, str] | None = None,
    rounds: int = 4,
) -> FirstFrame:
    """The best of `rounds` against the best of as many of the empty app, taken in turns."""
    ours, empty = [], []
    for _ in range(rounds):
        empty.append(first_frame(_EMPTY, lambda app: "ready" in app.rows[0]))
        ours.append(first_frame(argv, is_drawn, env))
    return FirstFrame(_best(ours, 0) / _best(empty, 0), _best(ours, 1) / _best(empty, 1))


def _best(frames: Sequence[FirstFrame], measure: int) -> float:
    return min(frame[measure] for frame in frames)
