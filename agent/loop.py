"""The event loop that the agent runs on: uvloop, which hands over between threads and sockets at about half the cost.

A run is handed over some ten times (caller, writer's thread, worker, and back), so this is a part of what each costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")

new_loop = uvloop.new_event_loop


def run(main: Coroutine[Any, Any, T]) -> T:
    """`main` from its beginning to its end, on a loop of its own."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(main)
