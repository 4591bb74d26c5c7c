"""Asks which jobs are due and stores what becomes of their fires."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from agent.core.ports import Store
from agent.core.records import DueJob, SettledJob
from agent.core.scheduling.brake import Brake
from agent.core.scheduling.firing import Firing
from agent.core.scheduling.foreseeing import Foreseen, foresee
from agent.services.poller import Poller
from agent.services.readying import Hands, Readying
from shared.clock import Clock
from shared.errors import Unavailable
from shared.models import Event
from shared.schedule import zone_data_version
from shared.schedule.settle import ON_TIME

_log = structlog.get_logger()
_BATCH = 500
_AHEAD, _TOO_SOON = 1.0, 0.05
"""Seconds before a moment in which its fires are decided, from when on to when there is too little time."""
_FORESEEN = 2000
"""Fires of a moment that are decided ahead at most."""
_TOGETHER = 250
"""Of these so many are stored together: what was stored first begins while the next is written."""
_TURN = 50
"""So many are decided before others have the loop."""
_LONGEST_REST = 30.0
"""A wall clock that was set is noticed within that time."""


@dataclass(frozen=True, slots=True)
class _Look:
    """One evaluation of all that is due at `now`. After an absence it takes many polls, and is judged as one."""

    now: datetime
    held_up_to: datetime | None = None


class Scheduler(Poller):
    def __init__(
        self,
        store: Store,
        clock: Clock,
        firing: Firing,
        brake: Brake,
        hands: Hands,
        brace: Callable[[int], None] = lambda _count: None,
    ) -> None:
        """`hands` have the runs of many fires that are due at once; `brace` hears how many fires are settled together,
        before they are."""
        super().__init__()
        self._store = store
        self._clock = clock
        self._firing = firing
        self._brake = brake
        self._brace = brace
        self._absence: _Look | None = None
        self._foreseen: Foreseen | None = None
        self._readying = Readying(store, clock, hands, self._forget_foreseen)
        self._ready = 0
        """How many of what was foreseen are readied."""
        self._zones_checked = False

    def hear(self, events: Sequence[Event]) -> None:
        """A published or changed job may be due sooner than what was planned for."""
        if any(event.kind in ("job.created", "job.changed") for event in events):
            self.wake()

    async def stop(self) -> None:
        self._readying.drop()
        await super().stop()
        self._readying.drop()

    async def poll(self) -> float:
        if not self._zones_checked:
            await self._recompute_stale_zones()
        await self._store_foreseen()
        now = self._clock.now()
        due = await self._store.due_jobs(now, _BATCH)
        if due:
            look = await self._look(due[0], now)
            await self._settle(due, lambda job, at: self._firing.settle(job, at, look.held_up_to), look.now)
        if len(due) == _BATCH or await self._still_due(due, now):
            return 0.0
        upcoming = await self._store.next_due()
        return _LONGEST_REST if upcoming is None else await self._foresee(upcoming)

    async def _store_foreseen(self) -> None:
        """What was decided ahead for now. What is not taken, for whatever reason, is still due, and settled as all else."""
        foreseen, now = self._foreseen, self._clock.now()
        if foreseen is None or now < foreseen.moment:
            return
        self._foreseen, ready = None, self._ready
        if self._absence is not None or not foreseen.is_at_hand(now):
            self._readying.drop()
            return
        if ready and not await self._readying.begin():
            return
        for at in range(ready, len(foreseen.settled), _TOGETHER):
            part = foreseen.settled[at : at + _TOGETHER]
            self._brace(len(part))
            try:
                await self._store.settle(part, now)
            except Unavailable:
                raise
            except Exception as error:
                _log.error("not_settled_as_foreseen", jobs=len(part), error=str(error))

    async def _foresee(self, upcoming: datetime) -> float:
        """Seconds until there is something to do. A moment that is near is looked at already."""
        left = (upcoming - self._clock.now()).total_seconds()
        if left > _AHEAD:
            self._readying.drop()  # the clock was set back, if there is something
            return min(left - _AHEAD, _LONGEST_REST)
        is_known = self._foreseen is not None and self._foreseen.moment == upcoming
        if left >= _TOO_SOON and not is_known:
            jobs = await self._store.due_jobs(upcoming, _FORESEEN)
            settled: list[SettledJob] = []
            for at in range(0, len(jobs), _TURN):
                settled += foresee(self._firing, jobs[at : at + _TURN], upcoming)
                await asyncio.sleep(0)
            self._foreseen, self._ready = Foreseen(upcoming, settled), 0
        return await self._ready_in_time(upcoming)

    async def _ready_in_time(self, moment: datetime) -> float:
        foreseen, left = self._foreseen, (moment - self._clock.now()).total_seconds()
        lead = self._readying.lead(foreseen) if foreseen is not None and foreseen.moment == moment else None
        if foreseen is not None and lead is not None:
            if left > lead:
                return left - lead
            self._ready = await self._readying.ready(foreseen, left)
        return max((moment - self._clock.now()).total_seconds(), 0.001)

    def _forget_foreseen(self) -> None:
        """What was readied is not to be: it is decided again, under other ids, for workers may have heard of these."""
        self._foreseen, self._ready = None, 0
        self.wake()

    async def _look(self, earliest: DueJob, now: datetime) -> _Look:
        if not _is_late(earliest, now):
            self._absence = None
            return _Look(now)
        if self._absence is None or now < self._absence.now or not _is_late(earliest, self._absence.now):
            self._absence = _Look(now, await self._brake.judge(now))
        return self._absence

    async def _still_due(self, settled: Sequence[DueJob], now: datetime) -> bool:
        upcoming = await self._store.next_due() if settled else None
        return upcoming is not None and upcoming <= now

    async def _recompute_stale_zones(self) -> None:
        """Next fires that were computed with other zone data are computed anew."""
        now, version = self._clock.now(), zone_data_version()
        while stale := await self._store.stale_zone_jobs(version, _BATCH):
            await self._settle(stale, lambda job, _now: self._firing.recompute(job), now)
        self._zones_checked = True

    async def _settle(
        self, jobs: Sequence[DueJob], rule: Callable[[DueJob, datetime], SettledJob], now: datetime
    ) -> None:
        """All in one transaction; a job that the rules or the store cannot take stops no other."""
        settled = [self._decided(job, rule, now) for job in jobs]
        self._brace(len(settled))
        try:
            await self._store.settle(settled, now)
        except Unavailable:
            raise
        except Exception as error:
            _log.error("settled_one_by_one", jobs=len(jobs), error=str(error))
            for job, each in zip(jobs, settled, strict=True):
                await self._settle_alone(job, each, now)

    def _decided(self, job: DueJob, rule: Callable[[DueJob, datetime], SettledJob], now: datetime) -> SettledJob:
        try:
            return rule(job, now)
        except Exception as error:
            return self._set_aside(job, error, now)

    async def _settle_alone(self, job: DueJob, settled: SettledJob, now: datetime) -> None:
        try:
            await self._store.settle([settled], now)
        except Unavailable:
            raise
        except Exception as error:
            await self._store.settle([self._set_aside(job, error, now)], now)

    def _set_aside(self, job: DueJob, error: Exception, now: datetime) -> SettledJob:
        later = self._firing.set_aside(job, now)
        _log.error("job_set_aside", job_id=job.job.id, job=job.job.name, error=str(error), until=later.next_fire_at)
        return later


def _is_late(due: DueJob, now: datetime) -> bool:
    return due.job.next_run_at is not None and due.job.next_run_at < now - ON_TIME
