"""Why a job did, or did not, run: the ledger and the job's state as sentences."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.core.firing import schedule_of
from agent.core.ports import Store
from agent.core.records import RunQuery
from shared.filters import parse
from shared.models import Fire, FireReason, Job, Run
from shared.models.base import Instant, Resource

REASONS: dict[FireReason, str] = {
    FireReason.ON_TIME: "it started on time",
    FireReason.CAUGHT_UP: "it was caught up after no agent had evaluated it in time",
    FireReason.QUEUED_BEHIND: "it was queued behind a run that was still active",
    FireReason.REPLACED_RUNNING: "it cancelled the run that was still active and took its place",
    FireReason.OVERLAP_ACTIVE: "the run before it was still active (overlap: skip)",
    FireReason.OVERLAP_QUEUE_FULL: "too many runs were queued already",
    FireReason.STANDS_FOR_LATER: "a later missed fire stands for it (catch-up: latest)",
    FireReason.CATCH_UP_NONE: "no agent evaluated it in time, and the job catches nothing up",
    FireReason.OUTSIDE_CATCH_UP_WINDOW: "no agent evaluated it in time, and it is older than the catch-up window",
    FireReason.AWAITING_OPERATOR: "it waits for an operator: too many fires were missed at once",
    FireReason.WINDOW_CLOSED: "the job's window had closed before it could start",
    FireReason.JOB_PAUSED: "the job was paused",
}


class Explanation(Resource):
    job: Job
    sentences: list[str]
    last_fires: list[Fire]
    active_runs: list[Run]
    next_fires: list[Instant]


async def explain(store: Store, job: Job, now: datetime) -> Explanation:
    fires = await store.list_fires(job.account_id, job_id=job.id, limit=10)
    where = parse("state:pending,running,retrying", "run")
    active = await store.list_runs(RunQuery(job.account_id, where=where, job_id=job.id, limit=20))
    upcoming = schedule_of(job, job.created_at).between(now, datetime.max.replace(tzinfo=UTC), 5) if job.enabled else []
    sentences = [_standing(job, upcoming), *map(_waiting, active), *map(_told, fires)]
    return Explanation(job=job, sentences=sentences, last_fires=fires, active_runs=active, next_fires=upcoming)


def _standing(job: Job, upcoming: list[datetime]) -> str:
    if job.paused_at is not None:
        return f"It is paused since {_moment(job.paused_at)}: its moments are counted, not run."
    if not job.enabled:
        return "It is disabled: it runs only by hand."
    if job.interval_type == "none":
        return "It has no schedule: it runs only by hand or by API."
    if not upcoming:
        return "Its schedule has no moment left: it will not fire again."
    return f"It fires {job.schedule_text}; next at {_moment(upcoming[0])}."


def _waiting(run: Run) -> str:
    if run.state == "running":
        return f"Run {run.id} is running since {_moment(run.started_at or run.created_at)}, attempt {run.attempt}."
    reason = run.waiting_for or ("its back-off" if run.state == "retrying" else "a free worker")
    return f"Run {run.id} is {run.state} and waits for {reason}."


def _told(fire: Fire) -> str:
    if fire.count > 1 and fire.until is not None:
        span = f"{fire.count} fires from {_moment(fire.fire_at)} to {_moment(fire.until)}"
        return f"{span}: {fire.outcome}, because {REASONS[fire.reason]}."
    return f"The fire of {_moment(fire.fire_at)}: {fire.outcome}, because {REASONS[fire.reason]}."


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
