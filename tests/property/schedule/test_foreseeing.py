"""What is decided ahead of a moment is what the rules say at the moment, or a little after it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from agent.core.records import DueJob, SettledJob
from agent.core.scheduling.firing import Firing, schedule_of
from agent.core.scheduling.foreseeing import foresee
from agent.core.scheduling.pace import Pace
from shared.clock import ManualClock
from shared.models import Job, JobInput

START = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
SCHEDULES = st.sampled_from(
    [
        ("cron", "* * * * *"),
        ("cron", "*/7 2 * * *"),
        ("cron", "0 0 * * 1"),
        ("simple", "90 seconds"),
        ("simple", "3 hours"),
    ]
)


@given(
    schedule=SCHEDULES,
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    overlap=st.sampled_from(["allow", "skip", "queue_one", "queue_all", "cancel_running"]),
    jitter=st.sampled_from(["0s", "30s"]),
    before=st.integers(min_value=50_000, max_value=1_000_000),
    lag=st.integers(min_value=0, max_value=999_999),
    active=st.integers(min_value=0, max_value=2),
    paused=st.booleans(),
)
def test_what_is_foreseen_is_what_the_rules_say(
    schedule: tuple[str, str], zone: str, overlap: str, jitter: str, before: int, lag: int, active: int, paused: bool
) -> None:
    job = _job(schedule, zone, overlap, jitter)
    moment = schedule_of(job, START).next(START)
    assert moment is not None
    due = DueJob(
        job.model_copy(update={"next_run_at": moment}), START, START, START if paused else None, active, active
    )
    ahead = foresee(_firing(moment - timedelta(microseconds=before)), [due], moment)
    now = moment + timedelta(microseconds=lag)
    then = _firing(now).settle(due, now)
    if active or paused:
        assert ahead == []
    else:
        assert [_said(each) for each in ahead] == [_said(then)]
        assert ahead[0].foreseen_for == moment


def _job(schedule: tuple[str, str], zone: str, overlap: str, jitter: str) -> Job:
    kind, interval = schedule
    definition = {
        "name": "it",
        "type": "command",
        "data": {"command": ["true"]},
        "interval_type": kind,
        "interval": interval,
        "timezone": zone,
        "policies": {"overlap": overlap, "jitter": jitter},
    }
    given_ = JobInput.model_validate(definition)
    return Job.model_construct(**dict(given_), id="job", version=3, next_run_at=None)


def _firing(now: datetime) -> Firing:
    numbers = count()
    clock = ManualClock(now)
    return Firing(clock, lambda: f"run-{next(numbers)}", random.Random(1), Pace(clock, 60))


def _said(settled: SettledJob) -> tuple[object, ...]:
    """All but how far it was looked, and that a run can begin only when there is somebody to begin it."""
    rows = [(row.fire_at, row.outcome, row.reason, row.count, _run(row)) for row in settled.rows]
    return settled.job_id, settled.version, rows, settled.next_fire_at, settled.cancel_running


def _run(row: object) -> object:
    run = getattr(row, "run", None)
    return run and (run.id, run.cause, run.fire_at, run.chained)
