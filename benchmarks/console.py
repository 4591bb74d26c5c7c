"""The console: its first frame beside that of an empty Textual app, both in a real terminal of 80 by 24."""

from __future__ import annotations

import asyncio
import compileall
import sys
import tempfile

from benchmarks.pairs import Comparison, compare
from tests.harness.first_frame import EMPTY, first_frame
from tests.harness.pty_app import PtyApp

PAIRS = 15
_CONSOLE = [sys.executable, "-m", "shared.launcher"]


async def measure() -> list[Comparison]:
    """Wall time from the start of the process. Byte code is there, as it is after an installation."""
    for package in ("console", "shared", "tests/harness"):
        compileall.compile_dir(package, quiet=1)
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as home:
        nobody = {"HOME": home, "JOBDECK_AGENT": f"{home}/agent.sock"}

        async def ours() -> float:
            return (await asyncio.to_thread(first_frame, _CONSOLE, _shows_runs, nobody)).wall

        async def theirs() -> float:
            return (await asyncio.to_thread(first_frame, EMPTY, _is_ready)).wall

        return [await compare("first frame of the console", ours, "an empty Textual app", theirs, pairs=PAIRS)]


def _shows_runs(app: PtyApp) -> bool:
    return "1 Runs" in app.text


def _is_ready(app: PtyApp) -> bool:
    return "ready" in app.rows[0]
