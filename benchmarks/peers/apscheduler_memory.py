"""APScheduler 3 with its memory store and its pool of ten threads."""

from __future__ import annotations

import threading
import time
from datetime import datetime

from apscheduler.schedulers.background import BackgroundScheduler


def start_with(jobs: int) -> float:
    """Seconds until a scheduler with that many daily jobs works: what is in memory is added at each start."""
    began = time.perf_counter()
    scheduler = BackgroundScheduler(timezone="UTC")
    for number in range(jobs):
        scheduler.add_job(_nothing, "cron", hour=3, id=str(number))
    scheduler.start()
    taken = time.perf_counter() - began
    scheduler.shutdown()
    return taken


def delays(jobs: int, due: datetime) -> list[float]:
    """Of jobs that are all due at that moment: seconds from it to the start of each."""
    starts: list[float] = []
    over = threading.Event()

    def note() -> None:
        starts.append(time.time())
        if len(starts) == jobs:
            over.set()

    scheduler = BackgroundScheduler(timezone="UTC")
    for number in range(jobs):
        scheduler.add_job(note, "date", run_date=due, id=str(number), misfire_grace_time=None)
    scheduler.start()
    over.wait()
    scheduler.shutdown()
    return [start - due.timestamp() for start in starts]


def _nothing() -> None:
    pass
