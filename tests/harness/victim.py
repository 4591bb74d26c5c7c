"""Work in a process of its own that says how far it is, to be killed or stopped anywhere in it.

Its module has a `main` that finds the order, as JSON, in `sys.argv[1]`, says a line now and then and returns the exit code.
The process is forked from one that has loaded that module: what is to be seen is how it ends, not how it begins.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import IO, Any

from tests.harness import warm_start
from tests.harness.telling import PATIENCE


class Victim:
    """`said` is what it says, line by line."""

    def __init__(self, module: str, order: dict[str, Any], *, stderr: IO[bytes] | None = None) -> None:
        reading, writing = os.pipe()
        self.said = os.fdopen(reading)
        with os.fdopen(writing, "wb") as out:
            self.process = warm_start.start(
                [json.dumps(order)], stdout=out, stderr=stderr, module=module, loaded=(module,)
            )

    def killed_after(self, lines: int, pause: float) -> bool:
        """Kill it once it said so many lines, and a little later: anywhere in what it does then. True if it was still at
        work."""
        for _ in range(lines):
            if not self.said.readline():
                break
        try:
            self.process.wait(pause)
        except subprocess.TimeoutExpired:
            self.process.kill()
        return self.end() == -signal.SIGKILL

    def end(self) -> int:
        """Wait for its end; the exit code."""
        self.said.close()
        return self.process.wait(PATIENCE)
