"""The catch-up brake: after a long absence the operator says what is caught up, not the agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import structlog

from agent.core.ports import Store
from agent.core.records import DueJob
from agent.core.scheduling.firing import Firing
from shared.schedule.settle import ON_TIME

_log = structlog.get_logger()
_PAGE = 500


class Brake:
    """More than `threshold` runs to catch up at once, of all jobs together: none of them starts by itself.

    What was decided is stored before it is acted upon, so that an agent that ends in the midst goes on holding the rest.
    Each absence is judged by itself: what is held from an earlier one does not count.
    """

    def __init__(self, store: Store, firing: Firing, threshold: int) -> None:
        self._store = store
        self._firing = firing
        self._threshold = threshold

    async def judge(self, now: datetime, beside: DueJob | None = None) -> datetime | None:
        """Missed moments until then are held; None: none are. `beside`: a job that counts as well, due or not."""
        held = await self._standing(now)
        count = self._to_catch_up(beside, now, held) if beside else 0
        async for due in self._late(now):
            if beside is None or due.job.id != beside.job.id:
                count += self._to_catch_up(due, now, held)
            if count > self._threshold:
                return await self._hold(now)
        return await self._hold(now) if count > self._threshold else held

    async def _standing(self, now: datetime) -> datetime | None:
        held = await self._store.held_up_to()
        return (
            held if held is not None and held <= now else None
        )  # a clock that stood ahead must not hold all until then

    async def _late(self, now: datetime) -> AsyncIterator[DueJob]:
        last: DueJob | None = None
        while page := await self._store.late_jobs(now - ON_TIME, last, _PAGE):
            for due in page:
                yield due
            last = page[-1]

    def _to_catch_up(self, due: DueJob, now: datetime, held: datetime | None) -> int:
        try:
            return self._firing.to_catch_up(due, now, held)
        except Exception as error:  # one job that cannot be settled stops no other: the scheduler sets it aside
            _log.warning("job_not_counted", job_id=due.job.id, job=due.job.name, error=str(error))
            return 0

    async def _hold(self, now: datetime) -> datetime:
        up_to = now - ON_TIME
        await self._store.hold_up_to(up_to)
        _log.warning("catch_up_held", threshold=self._threshold, missed_until=up_to, release="jobdeck catch-up list")
        return up_to
