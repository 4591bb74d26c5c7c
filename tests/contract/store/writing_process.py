"""A process that writes until it is killed, and says after each acknowledged write which it was."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from agent.store import open_store
from shared.clock import SystemClock
from shared.ids import new_id


async def main(path: Path, side_by_side: int) -> None:
    store = await open_store(path, clock=SystemClock(), new_id=new_id)
    print("ready", flush=True)
    await asyncio.gather(*(_write(store, lane) for lane in range(side_by_side)))


async def _write(store: object, lane: int) -> None:
    number = 0
    while True:
        name = f"{lane}-{number}"
        await store.put_secret("main", name, name.encode(), datetime.now(UTC))  # type: ignore[attr-defined]
        print(name, flush=True)
        number += 1


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
