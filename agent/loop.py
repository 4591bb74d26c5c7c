"""The event loop that the agent runs on: uvloop, which hands over between threads and sockets at about half the cost.

A run is handed over some ten times (caller, writer's thread, worker, and back), so this is a part of what each costs.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")

SWITCH_INTERVAL = 0.0005
"""Seconds for which a thread may keep the interpreter from another. SQLite's driver lets go of it at each row: with
Python's own 5 ms the store's writer waits for a busy loop at every one, and who waits for the commit with it."""

new_loop = uvloop.new_event_loop


def run(main: Coroutine[Any, Any, T]) -> T:
    """`main` from its beginning to its end, on a loop of its own."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(main)
