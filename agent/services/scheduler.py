"""Asks which jobs are due and stores what becomes of their fires."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agent.core.firing import Firing
from agent.core.ports import Store
from agent.core.records import DueJob
from agent.services.poller import Poller
from shared.clock import Clock
from shared.models import Event
from shared.schedule import zone_data_version

_BATCH = 500
_LONGEST_REST = 30.0
"""A wall clock that was set is noticed within that time."""


class Scheduler(Poller):
    def __init__(self, store: Store, clock: Clock, firing: Firing) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._firing = firing
        self._zones_checked = False

    def hear(self, events: Sequence[Event]) -> None:
        """A published or changed job may be due sooner than what was planned for."""
        if any(event.kind in ("job.created", "job.changed") for event in events):
            self.wake()

    async def poll(self) -> float:
        if not self._zones_checked:
            await self._recompute_stale_zones()
        now = self._clock.now()
        due = await self._store.due_jobs(now, _BATCH)
        if due:
            await self._store.settle([self._firing.settle(job, now) for job in due], now)
        if len(due) == _BATCH or await self._still_due(due, now):
            return 0.0
        upcoming = await self._store.next_due()
        if upcoming is None:
            return _LONGEST_REST
        return min(max((upcoming - self._clock.now()).total_seconds(), 0.001), _LONGEST_REST)

    async def _still_due(self, settled: Sequence[DueJob], now: datetime) -> bool:
        upcoming = await self._store.next_due() if settled else None
        return upcoming is not None and upcoming <= now

    async def _recompute_stale_zones(self) -> None:
        """Next fires that were computed with other zone data are computed anew."""
        now, version = self._clock.now(), zone_data_version()
        while stale := await self._store.stale_zone_jobs(version, _BATCH):
            await self._store.settle([self._firing.settle(job, now) for job in stale], now)
        self._zones_checked = True
