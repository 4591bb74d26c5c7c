"""Whether the store takes writes, for whoever asks: anybody may ask, at any rate, and that costs no more than one small
write a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from agent.store.engine.health import Health
from shared.clock import Clock
from shared.errors import Unavailable

FRESH = 1.0
"""Seconds for which an answer stands: what was written or refused so lately is not tried again."""


class Proof:
    """`write`: begins a write that changes something, so that it proves the disk."""

    def __init__(self, health: Health, clock: Clock, write: Callable[[], asyncio.Future[Any]]) -> None:
        self._health = health
        self._clock = clock
        self._write = write
        self._trial: asyncio.Future[Any] | None = None
        self._began = float("-inf")

    async def ask(self) -> None:
        """Raises Unavailable where the last write was refused. What others had stored counts as well."""
        now = self._clock.monotonic()
        if self._health.trouble is None and now - self._health.wrote_at < FRESH:
            return
        if self._trial is None or (self._trial.done() and now - self._began >= FRESH):
            self._began, self._trial = now, self._write()
            self._trial.add_done_callback(_look)
        await asyncio.shield(self._trial)  # who asks and goes takes nobody's answer along
        if self._health.trouble is not None:  # one small write found its place
            raise Unavailable(self._health.trouble.reason)


def _look(trial: asyncio.Future[Any]) -> None:
    """All who asked may have gone: then nobody else looks at why it was refused."""
    if not trial.cancelled():
        trial.exception()
