"""Holding an answer until a run has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agent.api.context import Api
from agent.core.permissions.callers import Caller
from shared.models import Event, Run
from shared.states import FINAL


async def wait_for_end(api: Api, caller: Caller, run: Run, seconds: float) -> Run:
    """The run as it is when it has ended, or after that time, or when the agent stops."""
    changed = asyncio.Event()

    def hear(events: Sequence[Event]) -> None:
        if any(event.kind == "run.changed" and event.subject_id == run.id for event in events):
            changed.set()

    unsubscribe = api.core.store.subscribe(hear)
    closing = asyncio.ensure_future(api.broadcast.closing.wait())
    try:
        async with asyncio.timeout(seconds):
            while (run := await api.core.runs.get(caller, run.id)).state not in FINAL and not closing.done():
                hearing = asyncio.ensure_future(changed.wait())
                try:
                    await asyncio.wait({hearing, closing}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    hearing.cancel()
                changed.clear()
    except TimeoutError:
        return run
    finally:
        closing.cancel()
        unsubscribe()
    return run
