"""`jobdeck` the way a script calls it: no terminal, one data folder, exit codes that are looked at."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.harness.warm_start import run


class Shell:
    def __init__(self, data: Path) -> None:
        self.environment = {**os.environ, "JOBDECK_DATA_DIR": str(data), "HOME": str(data.parent)}

    def __call__(self, *words: str, code: int = 0, given: str = "", **environment: str) -> str:
        """What it printed: its output where it did what it was asked for, else what it said about that."""
        done = run(words, given=given, env=self.environment | environment)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stdout if code in {0, 1, 8, 9} else done.stderr

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))
