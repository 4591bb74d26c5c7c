"""Notices by itself when a job behaves unlike itself: overdue, too slow, too fast, flapping."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from agent.core.ports import SentinelStore
from agent.core.sentinels.judging import Look
from agent.core.sentinels.passing import Passing
from agent.core.sentinels.patience import Patience
from agent.core.sentinels.records import EndedRun, Judged, LongRun, News, WatchedJob
from agent.services.poller import Poller
from shared.clock import Clock
from shared.ids import NewId

_log = structlog.get_logger()
_LOOK_EVERY = 10.0
_EVENTS = 10_000
"""Many: a job whose runs end again and again is looked at once for all of them."""
_JOBS = 100
"""Few: what else is to be committed meanwhile waits for one such part."""
_SAVED_EVERY = 5000
"""Events after which the position is written although nothing was judged."""
_PRUNE_EVERY = 3600.0
_KEPT = timedelta(days=90)


class Sentinels(Poller):
    """Apart from the path of a run: it reads what was committed since its last look, and writes what it made of it in
    small parts; its position comes last."""

    def __init__(self, store: SentinelStore, clock: Clock, new_id: NewId, patience: Patience) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._patience = patience
        self._passing = Passing()
        self._cursor: int | None = None
        self._saved = 0
        self._prune_at = 0.0

    async def poll(self) -> float:
        news = await self._store.sentinel_news(self._cursor, _EVENTS)
        # After the news: a clock that was set before they came is known to have been.
        now = self._clock.now()
        self._passing.look(now, self._clock.monotonic())
        long = await self._store.running_too_long(now)
        unheard = await self._store.unheard_jobs(now, _JOBS)
        await self._judge(news, long, unheard, now)
        await self._prune(now)
        return 0.0 if news.more or len(unheard) == _JOBS else _LOOK_EVERY

    async def _judge(self, news: News, long: Sequence[LongRun], unheard: Sequence[int], now: datetime) -> None:
        ended: dict[int, list[EndedRun]] = defaultdict(list)
        for run in news.ended:
            ended[run.job_number].append(run)
        longest = {run.job_number: run for run in reversed(long)}
        numbers = sorted({*ended, *news.changed, *longest, *unheard})
        for start in range(0, len(numbers), _JOBS):
            part = numbers[start : start + _JOBS]
            jobs = await self._store.watched_jobs(part, [number for number in unheard if number in part])
            judged = await asyncio.to_thread(self._look_at_all, jobs, ended, longest, now)
            await self._store.write_judged(judged, None, now)
            self._say(judged)
        if numbers or news.cursor - self._saved >= _SAVED_EVERY:
            await self._store.write_judged([], news.cursor, now)
            self._saved = news.cursor
        self._cursor = news.cursor

    def _look_at_all(
        self,
        jobs: Sequence[WatchedJob],
        ended: Mapping[int, list[EndedRun]],
        long: Mapping[int, LongRun],
        now: datetime,
    ) -> list[Judged]:
        """A job that the rules cannot take stops no other."""
        judged = []
        for job in jobs:
            look = Look(job, self._patience, self._passing, now, self._new_id)
            try:
                judged.append(look.judge(ended.get(job.number, ()), long.get(job.number)))
            except Exception as error:
                _log.error("job_not_judged", job_number=job.number, error=str(error), exc_info=True)
        return judged

    def _say(self, judged: Sequence[Judged]) -> None:
        for job in judged:
            for opened in job.opened:
                _log.warning(
                    "sentinel_opened", job=job.job_name, kind=opened.kind, sentinel_id=opened.id, why=opened.why
                )
            for closed in job.closed:
                _log.info("sentinel_closed", job=job.job_name, sentinel_id=closed.sentinel_id, because=closed.because)

    async def _prune(self, now: datetime) -> None:
        if self._clock.monotonic() >= self._prune_at:
            self._prune_at = self._clock.monotonic() + _PRUNE_EVERY
            await self._store.prune_sentinels(now - _KEPT)
