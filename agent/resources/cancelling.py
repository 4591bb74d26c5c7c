"""Asynchronous work of a driver, given up when its run is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from agent.core.driving import RunCancelled, RunContext

T = TypeVar("T")

WATCH = 0.05
"""Seconds between two looks at whether the run was cancelled."""


def run_unless_cancelled(context: RunContext, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives, on a loop of its own. RunCancelled when it has ended for that."""
    return asyncio.run(_watched(context, work))


async def _watched(context: RunContext, work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.create_task(work)
    while not (await asyncio.wait([task], timeout=WATCH))[0]:
        if context.cancelled.is_set():
            task.cancel()
            await asyncio.wait([task])
            raise RunCancelled
    return task.result()
