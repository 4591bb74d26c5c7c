"""The tasks of the huey consumer: its SQLite store with an fsync at each commit. A minute to wait for its lock: of many
callers at once some starve for longer than the usual five seconds."""

from __future__ import annotations

import os
import time

from huey import SqliteHuey

huey = SqliteHuey(filename=os.environ["BENCH_HUEY_FILE"], fsync=True, timeout=60)


@huey.task()
def noop() -> float:
    """When it ran, in seconds since 1970."""
    return time.time()
