"""What becomes of the fires of one job: the rules of design/scheduling.md, `What becomes of a fire`, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from shared.models.fire import FireOutcome, FireReason
from shared.models.job import CatchUp, Overlap
from shared.schedule.schedule import Schedule

ON_TIME = timedelta(seconds=60)
QUEUE_MOST = 100
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class FireState:
    """A job as it stands before its fires are settled.

    `high_water`: every moment at or before it is settled. `paused_since`: moments from then on are not run.
    `active`: its pending, running and retrying runs, whatever caused them; `queued`: those of them that are pending;
    `fresh`: the caught-up ones that an earlier part of this same settlement started.
    `catching_up`: a caught-up run of it is active, or a missed fire of it waits for its turn.
    `held_up_to`: what would be caught up of the moments until then waits for the operator instead.
    """

    schedule: Schedule
    overlap: Overlap
    catch_up: CatchUp
    jitter: timedelta
    high_water: datetime
    paused_since: datetime | None
    active: int
    queued: int
    fresh: int = 0
    catching_up: bool = False
    held_up_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One ledger row: a moment, or `count` moments from `fire_at` to `until` that share one fate.

    `starts`: a run is to be made for it, not to begin before `fire_at + delay` (jitter), and, if `chained`, not before
    the job's other active runs have ended. `stands_in_fire_at`: the fire that runs in its stead.
    """

    fire_at: datetime
    outcome: FireOutcome
    reason: FireReason
    starts: bool = False
    chained: bool = False
    stands_in_fire_at: datetime | None = None
    count: int = 1
    until: datetime | None = None
    delay: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What to write in one transaction.

    `cancel_running`: the runs that were active before are to be cancelled; those that start here wait for them.
    `more`: the limit was reached; settle again, with the same `now`, from the new high-water mark.
    `next_fire`: the first moment after the high-water mark; None while paused: a paused job is settled when it is
    resumed, with `paused_since` still set, which makes the span one row.
    """

    verdicts: list[Verdict]
    cancel_running: bool
    high_water: datetime
    next_fire: datetime | None
    more: bool


def settle(
    state: FireState, now: datetime, rng: random.Random, *, on_time: timedelta = ON_TIME, limit: int = 1000
) -> Settlement:
    """Say of every due moment in (high_water, now] what becomes of it, at most `limit` rows at a time.

    A clock that was set back (now before the high-water mark) settles nothing.
    """
    if now <= state.high_water:
        upcoming = _next(state, state.high_water, now)
        return Settlement([], cancel_running=False, high_water=state.high_water, next_fire=upcoming, more=False)
    ledger = _Ledger(state, now, rng, on_time)
    verdicts = list(islice(ledger.rows(limit + 1), limit + 1))
    more = len(verdicts) > limit
    kept = verdicts[:limit]
    high_water = (kept[-1].until or kept[-1].fire_at) if more else now
    return Settlement(
        verdicts=[ledger.jittered(verdict) for verdict in kept],
        cancel_running=any(verdict.reason is FireReason.REPLACED_RUNNING for verdict in kept),
        high_water=high_water,
        next_fire=_next(state, high_water, now),
        more=more,
    )


def to_catch_up(state: FireState, now: datetime, *, on_time: timedelta = ON_TIME) -> int:
    """How many runs the settlement of that job would catch up now, whether they start at once or wait for their turn."""
    return _Ledger(state, now, random.Random(0), on_time).to_catch_up() if now > state.high_water else 0  # noqa: S311  (not drawn from)


def _next(state: FireState, high_water: datetime, now: datetime) -> datetime | None:
    upcoming = state.schedule.next(high_water)
    paused = state.paused_since is not None and state.paused_since <= now
    return None if paused and (upcoming is None or upcoming > now) else upcoming


class _Ledger:
    """The rows of one settlement, in the order of their moments: long gone, missed, on time, paused."""

    def __init__(self, state: FireState, now: datetime, rng: random.Random, on_time: timedelta) -> None:
        self._state = state
        self._schedule = state.schedule
        self._rng = rng
        self._active = state.active
        self._queued = state.queued
        self._catching_up = state.catching_up
        self._now = now
        pause = state.paused_since
        self._runs_until = now if pause is None else min(now, max(pause - _TICK, state.high_water))
        self._missed_until = min(self._runs_until, now - on_time - _TICK)
        self._window_from = now - state.catch_up.window - _TICK

    def to_catch_up(self) -> int:
        """How many of the missed moments are to run that are not held already; counted, not walked."""
        mode, held = self._state.catch_up.mode, self._state.held_up_to
        after = max(self._state.high_water, self._window_from, held or self._state.high_water)
        if mode == "all":
            return max(self._schedule.count(after, self._missed_until), 0)
        return int(mode == "latest" and self._schedule.latest(self._missed_until, after) is not None)

    def rows(self, most: int) -> Iterator[Verdict]:
        """At most about `most` rows; the caller stops where it likes. Nothing is searched where nothing can be: nearly
        always the first moment is the only one, and on time."""
        cursor = self._state.high_water
        first = self._schedule.next(cursor)
        if first is None or first > self._now:
            return
        if first <= self._missed_until:
            yield from self._long_gone(cursor, min(self._missed_until, self._window_from))
            yield from self._missed(max(cursor, self._window_from), most)
        yield from self._on_time(max(cursor, self._missed_until), most)
        if self._runs_until < self._now:
            yield from self._span(self._runs_until, self._now, FireOutcome.PAUSED, FireReason.JOB_PAUSED)

    def jittered(self, verdict: Verdict) -> Verdict:
        """Draws the delay of a start; one draw per start, in the order of the rows."""
        jitter = self._state.jitter
        if not verdict.starts or not jitter:
            return verdict
        return replace(verdict, delay=timedelta(seconds=self._rng.uniform(0, jitter.total_seconds())))

    def _long_gone(self, after: datetime, until: datetime) -> Iterator[Verdict]:
        none = self._state.catch_up.mode == "none"
        reason = FireReason.CATCH_UP_NONE if none else FireReason.OUTSIDE_CATCH_UP_WINDOW
        return self._span(after, until, FireOutcome.MISSED, reason)

    def _span(self, after: datetime, until: datetime, outcome: FireOutcome, reason: FireReason) -> Iterator[Verdict]:
        """One row for all moments in (after, until]; a downtime of years is not walked moment by moment."""
        first, last = self._schedule.next(after), self._schedule.latest(until, after)
        if first is not None and last is not None:
            yield Verdict(first, outcome, reason, count=self._schedule.count(after, until), until=last)

    def _missed(self, after: datetime, most: int) -> Iterator[Verdict]:
        last = self._schedule.latest(self._missed_until, after)
        if last is None:
            return
        mode = self._state.catch_up.mode
        for moment in self._schedule.between(after, last, most):
            if mode == "none":
                yield Verdict(moment, FireOutcome.MISSED, FireReason.CATCH_UP_NONE)
            elif mode == "all" or moment == last:
                yield self._catch_up(moment)
            else:
                yield _coalesced(moment, last)

    def _catch_up(self, moment: datetime) -> Verdict:
        """One caught-up run of a job at a time: the others get theirs as their turn comes."""
        held = self._state.held_up_to
        if held is not None and moment <= held:
            return Verdict(moment, FireOutcome.HELD, FireReason.AWAITING_OPERATOR)
        if self._catching_up:
            return Verdict(moment, FireOutcome.HELD, FireReason.AWAITING_TURN)
        self._catching_up = True
        return self._start(moment, FireReason.CAUGHT_UP, chained=True)

    def _on_time(self, after: datetime, most: int) -> Iterator[Verdict]:
        replaced = self._state.overlap == "cancel_running"
        last = self._schedule.latest(self._runs_until, after) if replaced else None
        for moment in self._schedule.between(after, self._runs_until, most):
            if last is not None and moment != last:
                # Each would only be cancelled by the next, before it has begun.
                yield _coalesced(moment, last)
            else:
                yield self._overlapping(moment) if self._active else self._start(moment, FireReason.ON_TIME)

    def _overlapping(self, moment: datetime) -> Verdict:
        """The verdict on a moment that comes while a run of the job is active."""
        match self._state.overlap:
            case "allow":
                return self._start(moment, FireReason.ON_TIME)
            case "cancel_running":
                # What this settlement itself starts is not cancelled: a caught-up run goes first.
                replaces = self._state.active > self._state.fresh
                reason = FireReason.REPLACED_RUNNING if replaces else FireReason.QUEUED_BEHIND
                return self._start(moment, reason, chained=True)
            case "skip":
                return Verdict(moment, FireOutcome.SKIPPED, FireReason.OVERLAP_ACTIVE)
            case "queue_one" | "queue_all" as queue:
                if self._waiting() < (1 if queue == "queue_one" else QUEUE_MOST):
                    return self._start(moment, FireReason.QUEUED_BEHIND, chained=True)
                return Verdict(moment, FireOutcome.SKIPPED, FireReason.OVERLAP_QUEUE_FULL)

    def _waiting(self) -> int:
        """The runs that wait behind another; where all are pending, the first of them waits for a slot only."""
        return self._queued - 1 if self._queued == self._active else self._queued

    def _start(self, moment: datetime, reason: FireReason, *, chained: bool = False) -> Verdict:
        self._active += 1
        self._queued += 1
        return Verdict(moment, FireOutcome.STARTED, reason, starts=True, chained=chained)


def _coalesced(moment: datetime, last: datetime) -> Verdict:
    return Verdict(moment, FireOutcome.COALESCED, FireReason.STANDS_FOR_LATER, stands_in_fire_at=last)
