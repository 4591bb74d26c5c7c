"""A process that owns a pool, for tests that kill it. Arguments: folder, file for pids, bare or marked."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.acceptance.workers.stage import new_stage, until, worker_processes


async def main() -> None:
    folder, pids, bare = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "bare"
    stage = new_stage(folder, size=2)
    await stage.executor.start(stage.on_event, stage.on_end)
    run = await stage.give("stubborn", {"pids": pids, "bare": bare})
    await stage.ready(run)
    await until(lambda: len(stage.executor.idle_workers()) == 1)
    print(run, *worker_processes(), flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
