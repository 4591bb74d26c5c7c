"""`jobdeck` with the drivers in `plugins`, as an installed plug-in brings them; and, asked by JOBDECK_TEST_NO_LOCK,
without the lock that keeps a second agent off its store."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from agent.composing import execution, ground
from agent.drivers.registry import DriverRegistry
from agent.store.engine.lock import StoreLock
from shared.clock import Clock
from shared.launcher import main as jobdeck

PLUGINS = Path(__file__).parent / "plugins"


class EquippedRegistry(DriverRegistry):
    def __init__(self) -> None:
        super().__init__()
        import jobdeck_equipment

        for manifest in jobdeck_equipment.MANIFESTS:
            self._manifests[manifest.type] = manifest


def take_no_lock(store: Path, clock: Clock, *_: Any) -> StoreLock:
    return StoreLock(Path(os.devnull).open(encoding="utf-8"))


def main() -> int:
    sys.path.append(str(PLUGINS))
    execution.DriverRegistry = EquippedRegistry  # type: ignore[misc]
    execution.LocalExecutor = partial(execution.LocalExecutor, extra_paths=[PLUGINS])  # type: ignore[misc, assignment]
    if os.environ.get("JOBDECK_TEST_NO_LOCK"):
        ground.take_lock = take_no_lock
    return jobdeck()
