"""The tasks of the huey consumer: its SQLite store with an fsync at each commit."""

from __future__ import annotations

import os
import time

from huey import SqliteHuey

huey = SqliteHuey(filename=os.environ["BENCH_HUEY_FILE"], fsync=True)


@huey.task()
def noop() -> float:
    """When it ran, in seconds since 1970."""
    return time.time()
