"""Keeps the store's picture of this agent's workers true."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agent.core.ports import Executor, Store
from agent.services.poller import Poller
from shared.clock import Clock
from shared.models import Event

_AT_MOST_EVERY = 2.0
_HEARTBEAT = 15.0


class Roster(Poller):
    """Writes when something changed, and a heartbeat now and then: an idle agent hardly writes."""

    def __init__(self, store: Store, clock: Clock, executor: Executor) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._executor = executor
        self._written: Sequence[tuple[str, str, str | None]] = []
        self._written_at = float("-inf")

    def hear(self, events: Sequence[Event]) -> None:
        if any(event.kind == "run.changed" for event in events):
            self.wake()

    async def poll(self) -> float:
        workers = self._executor.workers()
        seen = [(worker.id, worker.state, worker.run_id) for worker in workers]
        elapsed = self._clock.monotonic()
        if seen != self._written or elapsed - self._written_at >= _HEARTBEAT - _AT_MOST_EVERY:
            await self._store.put_workers(workers, self._clock.now())
            self._written, self._written_at = seen, elapsed
        return _HEARTBEAT

    async def _rest(self, seconds: float) -> bool:
        """What changes within a moment is one write."""
        woken = await super()._rest(seconds)
        if woken:
            await asyncio.sleep(_AT_MOST_EVERY)
        return woken
