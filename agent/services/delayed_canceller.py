"""Carries out the cancels whose time to be undone is over: whoever asked may be long gone."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.ports import RunStore
from agent.services.poller import Poller
from shared.clock import Clock
from shared.models import Event

_BATCH = 500
_LONGEST_REST = 15.0
"""A wall clock that was set is noticed within that time."""


class DelayedCanceller(Poller):
    def __init__(self, store: RunStore, clock: Clock) -> None:
        super().__init__()
        self._store = store
        self._clock = clock

    def hear(self, events: Sequence[Event]) -> None:
        """A cancel that waits may be due sooner than what was planned for."""
        if any(event.kind == "run.changed" and event.data.get("cancelDueAt") for event in events):
            self.wake()

    async def poll(self) -> float:
        upcoming = await self._store.next_cancel_due()
        if upcoming is None:
            return _LONGEST_REST
        now = self._clock.now()
        if upcoming > now:
            return min((upcoming - now).total_seconds(), _LONGEST_REST)
        await self._store.carry_out_cancels(now, _BATCH)
        return 0.0
