"""From a due job to what is stored of it: the pure rules of the schedule, given ids and runs."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from agent.core.records import ClaimedRun, DueJob, FireRow, NewRun, ScheduleMarks, SettledJob
from agent.core.scheduling.pace import Pace
from shared.clock import Clock
from shared.errors import InvalidInput
from shared.ids import NewId
from shared.models import FireReason, Job, JobInput, RunCause
from shared.schedule import Schedule, ScheduleSpec, compile_schedule, zone_data_version
from shared.schedule.settle import FireState, Settlement, Verdict, settle, to_catch_up

_SET_ASIDE = timedelta(hours=1)
"""After that long a job whose schedule could not be read is looked at again."""


def schedule_of(job: Job | JobInput, anchor: datetime) -> Schedule:
    """The compiled schedule of a definition; `anchor` is the job's creation. InvalidInput names the field."""
    if isinstance(job, Job) and job.unreadable:
        raise InvalidInput.one("definition", job.unreadable)
    return compile_schedule(
        ScheduleSpec(
            interval_type=job.interval_type,
            interval=job.interval,
            timezone=job.timezone,
            start_on=job.start_on,
            end_on=job.end_on,
            dst=job.policies.dst,
            anchor=anchor,
        )
    )


def marks_of(schedule: Schedule, high_water: datetime) -> ScheduleMarks:
    """What the store keeps of a schedule whose moments up to `high_water` are settled."""
    return ScheduleMarks(
        next_fire_at=schedule.next(high_water),
        high_water=high_water,
        window_end=schedule.window_end,
        zone_data_version=zone_data_version(),
        schedule_text=schedule.describe(),
    )


def window_end_of(claimed: ClaimedRun) -> datetime | None:
    """After that nothing of the run starts any more. None: no end; so for what was asked for by hand, and under a
    schedule that cannot be read any more."""
    if claimed.run.cause not in ("schedule", "catch_up"):
        return None
    try:
        return schedule_of(claimed.definition, claimed.run.created_at).window_end
    except InvalidInput:
        return None


class Firing:
    """Settles due jobs. Caught-up runs that start at once take their places by the common `pace`."""

    def __init__(self, clock: Clock, new_id: NewId, rng: random.Random, pace: Pace) -> None:
        self._clock = clock
        self._new_id = new_id
        self._rng = rng
        self._pace = pace

    def settle(self, due: DueJob, now: datetime, held_up_to: datetime | None = None) -> SettledJob:
        """One look at one job: what becomes of every moment up to `now`, bounded; `next_fire_at` tells of the rest."""
        settlement = settle(self._state(due, now, held_up_to), now, self._rng)
        rows = [self._row(due.job.id, verdict, now) for verdict in settlement.verdicts]
        return SettledJob(
            job_id=due.job.id,
            version=due.job.version,
            rows=rows,
            high_water=settlement.high_water,
            next_fire_at=_next(due, settlement),
            cancel_running=settlement.cancel_running,
            zone_data_version=zone_data_version(),
        )

    def to_catch_up(self, due: DueJob, now: datetime, held_up_to: datetime | None = None) -> int:
        """How many runs a look at the job would catch up. InvalidInput if its schedule cannot be read."""
        return to_catch_up(self._state(due, now, held_up_to), now)

    def recompute(self, due: DueJob) -> SettledJob:
        """Only the next fire anew, where the zone data changed; what is due by then is settled as everything else."""
        upcoming = schedule_of(due.job, due.created_at).next(due.high_water)
        return _unsettled(due, upcoming, zone_data_version())

    def set_aside(self, due: DueJob, now: datetime) -> SettledJob:
        """For a job that cannot be settled: looked at again later, from the same high-water mark. Its zone data count as
        seen, or the look at stale ones would not end."""
        return _unsettled(due, now + _SET_ASIDE, zone_data_version())

    def _state(self, due: DueJob, now: datetime, held_up_to: datetime | None) -> FireState:
        policies = due.job.policies
        return FireState(
            schedule=schedule_of(due.job, due.created_at),
            overlap=policies.overlap,
            catch_up=policies.catch_up,
            jitter=policies.jitter,
            high_water=due.high_water,
            paused_since=due.paused_since,
            active=due.active,
            queued=due.queued,
            fresh=int(due.caught_up_at == now),
            catching_up=due.catching_up,
            held_up_to=held_up_to,
        )

    def _row(self, job_id: str, verdict: Verdict, now: datetime) -> FireRow:
        run = self._run(job_id, verdict, now) if verdict.starts else None
        return FireRow(
            fire_at=verdict.fire_at,
            outcome=verdict.outcome,
            reason=verdict.reason,
            run=run,
            stands_in_fire_at=verdict.stands_in_fire_at,
            count=verdict.count,
            until=verdict.until,
        )

    def _run(self, job_id: str, verdict: Verdict, now: datetime) -> NewRun:
        cause: RunCause = "catch_up" if verdict.reason is FireReason.CAUGHT_UP else "schedule"
        return NewRun(
            id=self._new_id(),
            job_id=job_id,
            cause=cause,
            fire_at=verdict.fire_at,
            available_at=self._start(cause, max(now, verdict.fire_at + verdict.delay)),
            chained=verdict.chained,
        )

    def _start(self, cause: RunCause, wanted: datetime) -> datetime:
        if cause != "catch_up":
            return wanted
        return max(wanted, self._clock.now() + timedelta(seconds=self._pace.reserve()))


def _next(due: DueJob, settlement: Settlement) -> datetime | None:
    """More to settle than one look takes: the job stays due."""
    return due.job.next_run_at if settlement.more else settlement.next_fire


def _unsettled(due: DueJob, next_fire_at: datetime | None, zone_data: str) -> SettledJob:
    return SettledJob(due.job.id, due.job.version, [], due.high_water, next_fire_at, zone_data_version=zone_data)
