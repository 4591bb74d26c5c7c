"""Keeps what grows without end within its bounds."""

from __future__ import annotations

from agent.core.ports import Store
from agent.services.poller import Poller

_LOOK_EVERY = 60.0


class Retention(Poller):
    def __init__(self, store: Store, keep_events: int) -> None:
        super().__init__()
        self._store = store
        self._keep_events = keep_events

    async def poll(self) -> float:
        await self._store.prune_events(self._keep_events)
        return _LOOK_EVERY
