"""`make bench`."""

from __future__ import annotations

import asyncio
import io

from agent.logging import set_up_logging
from benchmarks import console, main_job, runs, starting


async def _print_all() -> None:
    for measure in (console.measure, main_job.measure, runs.measure, starting.measure):
        for comparison in await measure():
            print(comparison, flush=True)  # noqa: T201  (its output is what it is for)


set_up_logging("text", io.StringIO())
asyncio.run(_print_all())
