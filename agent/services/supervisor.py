"""Hears what workers say about their runs, checks it against the fence, and gives it to the store in groups."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from agent.core.actions.planning import is_repeat_safe
from agent.core.ports import Drivers, Executor, LogStore, Store
from agent.core.records import ClaimedRun, Fence, Outcome, RunUpdate
from agent.core.running.promising import Promising
from agent.core.running.retrying import decide_outcome
from agent.core.scheduling.firing import window_end_of
from agent.core.wire import Ended, Logged, RunMessage, WireLine
from agent.services.poller import Poller
from agent.services.watched import Watched
from agent.settings import Settings
from shared.clock import Clock
from shared.errors import JobdeckError, Unavailable

_log = structlog.get_logger()
_FLUSH_EVERY = 0.2
"""Seconds between group writes of progress, steps and checkpoints."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
"""Seconds between tries to store an end."""


class Supervisor(Poller):
    def __init__(
        self,
        store: Store,
        clock: Clock,
        executor: Executor,
        logs: LogStore,
        drivers: Drivers,
        promising: Promising,
        settings: Settings,
        rng: random.Random,
    ) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._executor = executor
        self._logs = logs
        self._drivers = drivers
        self._promising = promising
        self._lease = settings.lease
        self._rng = rng
        self._watched: dict[str, Watched] = {}
        self._hurried = False
        self._awaited = asyncio.Event()
        """A worker waits for the next write."""

    def hurry(self) -> None:
        """The agent stops: an end that cannot be stored is left to the next agent, which finds the run without a worker."""
        self._hurried = True

    def watch(self, claimed: ClaimedRun, mask: frozenset[str]) -> None:
        """From now on the events of this attempt are expected."""
        run = claimed.run
        assert run.worker_id is not None
        fence = Fence(run.id, run.attempt, run.worker_id)
        longest_first = tuple(sorted(mask, key=len, reverse=True))
        self._watched[run.id] = Watched(claimed, fence, longest_first, self._clock.monotonic())

    def forget(self, fence: Fence) -> None:
        """It was given back, or is over: nothing is expected of it."""
        watched = self._watched.get(fence.run_id)
        if watched is not None and watched.fence == fence:
            del self._watched[fence.run_id]

    def watches(self, run_id: str) -> bool:
        """True while the run is under way here, whatever the wall clock says of its lease."""
        return run_id in self._watched

    async def hear(self, worker_id: str, event: RunMessage) -> None:
        """One event of a worker; one that does not fit the fence is told and dropped."""
        watched = self._fenced(worker_id, event)
        if watched is None:
            _log.warning("stale_event", run_id=event.run_id, attempt=event.attempt, worker_id=worker_id)
            return
        if isinstance(event, Logged):
            await self._write_log(watched, event.lines)
        else:
            watched.note(event)
        if watched.settling:
            self._awaited.set()
        if watched.settling or not watched.dirty:
            watched.dirty = True
            self.wake()

    async def end(self, worker_id: str, ended: Ended | None, message: RunMessage) -> None:
        """The attempt is over and no process of it is left: store how it ended, however often that takes (the disk
        may be full): until then the run reads `running`, and its lease is kept."""
        watched = self._fenced(worker_id, message)
        if watched is None:
            return
        if ended is not None and ended.began is not None:
            watched.started_at = watched.began_at = ended.began
        if ended is not None and watched.began_at is not None:
            self._promising.note(watched.claimed.run.type, (ended.at - watched.began_at).total_seconds())
        outcome = await self._heeding_cancel(watched, self._outcome(watched, ended, self._clock.now()))
        await self._tell_in_log(watched, outcome)
        pause = _FIRST_PAUSE
        while not await self._stored(watched, outcome) and not self._hurried:
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        self.forget(watched.fence)  # not the attempt after it, which the same commit may have claimed

    async def _heeding_cancel(self, watched: Watched, outcome: Outcome) -> Outcome:
        """A run that was to be cancelled is not tried again, however its attempt ended. The store holds to that by
        itself; asked here so that the log says the same."""
        if outcome.state != "retrying":
            return outcome
        try:
            run = await self._store.get_run(watched.claimed.run.account_id, outcome.fence.run_id)
        except JobdeckError:
            return outcome
        return outcome if run.cancel_requested_at is None else replace(outcome, state="cancelled", retry_at=None)

    async def _stored(self, watched: Watched, outcome: Outcome) -> bool:
        last_words, now = watched.take(), self._clock.now()
        try:
            if last_words.says_only_start:
                await self._store.finish([_begun_at(outcome, last_words.started_at)], now)
            else:
                # asked for together, the two share one commit, in this order
                await asyncio.gather(self._write([(watched, last_words)], now), self._store.finish([outcome], now))
        except Exception as error:
            if last_words.says_only_start:
                watched.give_back(last_words)
            trace = None if isinstance(error, JobdeckError) else error
            _log.error("end_not_stored", run_id=outcome.fence.run_id, error=str(error), exc_info=trace)
            return False
        return True

    async def poll(self) -> float:
        self._awaited.clear()
        dirty = [watched for watched in self._watched.values() if watched.dirty]
        if dirty:
            try:
                self._abandon(await self._write([(watched, watched.take()) for watched in dirty], self._clock.now()))
            except Exception:
                self._tell_settled(dirty)  # what the store refused together may be stored in part
                raise
            self._tell_settled(dirty)
        await self._extend_leases()
        return _FLUSH_EVERY if dirty else self._lease.total_seconds() / 6

    def _tell_settled(self, written: Sequence[Watched]) -> None:
        for watched in written:
            if watched.settled:
                watched.settled = False
                self._executor.settled(watched.fence.run_id)

    async def _write(self, updates: Sequence[tuple[Watched, RunUpdate]], now: datetime) -> list[Fence]:
        """Write them together; what a store that is down cannot take is kept, and what it refuses harms no other."""
        try:
            return await self._store.update_runs([update for _, update in updates], now)
        except Unavailable:
            for watched, update in updates:
                watched.give_back(update)
            raise
        except Exception as error:
            if len(updates) == 1:
                _log.error("update_refused", run_id=updates[0][1].fence.run_id, error=str(error), exc_info=True)
                return []
        alone = await asyncio.gather(*(self._write([each], now) for each in updates), return_exceptions=True)
        if failure := next((each for each in alone if isinstance(each, BaseException)), None):
            raise failure
        return [fence for each in alone if isinstance(each, list) for fence in each]

    async def _write_log(self, watched: Watched, lines: list[WireLine]) -> None:
        """Lines that cannot be written (the disk is full) do not stop the run: the log says how many are missing."""
        if watched.lost_lines:
            text = f"{watched.lost_lines} lines before this one could not be written"
            lines = [WireLine(at=self._clock.now(), level="warning", text=text), *lines]
        try:
            watched.log_total = await self._logs.append(watched.fence.run_id, lines, watched.mask)
        except Exception as error:
            watched.lost_lines += len(lines) - (1 if watched.lost_lines else 0)
            _log.error("log_not_written", run_id=watched.fence.run_id, lost_lines=watched.lost_lines, error=str(error))
        else:
            watched.lost_lines = 0

    async def _rest(self, seconds: float) -> bool:
        """Group what comes within a moment: the first event wakes, the write follows a little later, or at once where
        somebody waits for it."""
        woken = await super()._rest(seconds)
        if woken:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_EVERY / 4):
                    await self._awaited.wait()
        return woken

    async def _extend_leases(self) -> None:
        elapsed = self._clock.monotonic()
        third = self._lease.total_seconds() / 3
        due = [watched for watched in self._watched.values() if elapsed - watched.leased_at >= third]
        if not due:
            return
        now = self._clock.now()
        self._abandon(await self._store.extend_leases([watched.fence for watched in due], now + self._lease, now))
        for watched in due:
            watched.leased_at = elapsed

    def _abandon(self, lost: list[Fence]) -> None:
        """Runs that moved on without this agent: their processes here are ended."""
        for fence in lost:
            _log.warning("fence_lost", run_id=fence.run_id, attempt=fence.attempt)
            watched = self._watched.get(fence.run_id)
            if watched is not None and watched.fence == fence:  # not the attempt after it
                self._executor.cancel(fence.run_id)

    def _fenced(self, worker_id: str, event: RunMessage) -> Watched | None:
        watched = self._watched.get(event.run_id)
        if watched is None or watched.fence != Fence(event.run_id, event.attempt, worker_id):
            return None
        return watched

    def _outcome(self, watched: Watched, ended: Ended | None, now: datetime) -> Outcome:
        claimed = watched.claimed
        reached = watched.reached or claimed.checkpoint
        repeat_safe = is_repeat_safe(self._drivers, claimed.definition, reached)
        may_go_on = ended is None or ended.outcome == "failed"  # only then somebody asks until when
        window_end = window_end_of(claimed) if may_go_on else None
        return decide_outcome(
            claimed, watched.fence, ended, repeat_safe=repeat_safe, window_end=window_end, now=now, rng=self._rng
        )

    async def _tell_in_log(self, watched: Watched, outcome: Outcome) -> None:
        """The run's own log ends with why it failed, so that whoever reads it needs nothing else. A log that cannot
        be written does not hold up the run's end."""
        run_id = watched.fence.run_id
        try:
            if outcome.error is not None:
                line = WireLine(at=outcome.ended_at, level="error", text=_epitaph(watched.fence.attempt, outcome))
                await self._write_log(watched, [line])
            elif watched.lost_lines:
                await self._write_log(watched, [])
            if watched.lost_lines:
                watched.warnings.append(f"{watched.lost_lines} lines of the log could not be written")
        except Exception as error:
            _log.error("log_not_closed", run_id=run_id, error=str(error))


def _begun_at(outcome: Outcome, at: datetime | None) -> Outcome:
    return Outcome(
        outcome.fence, outcome.state, outcome.ended_at, outcome.result, outcome.error, outcome.retry_at, started_at=at
    )


def _epitaph(attempt: int, outcome: Outcome) -> str:
    assert outcome.error is not None
    text = f"attempt {attempt} {_FAILED[outcome.state]}: {outcome.error.message}"
    return text if outcome.retry_at is None else f"{text}; next attempt at {outcome.retry_at:%Y-%m-%d %H:%M:%SZ}"


_FAILED = {
    "retrying": "failed and will be retried",
    "failed": "failed",
    "cancelled": "was cancelled",
    "completed": "completed",
}
