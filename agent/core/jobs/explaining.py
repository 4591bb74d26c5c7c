"""Why a job did, or did not, run: the ledger and the job's state as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from agent.core.ports import Drivers, Store
from agent.core.records import RunQuery
from agent.core.scheduling.firing import schedule_of
from shared.errors import InvalidInput
from shared.filters import parse
from shared.models import Fire, FireOutcome, FireReason, HeldJob, Job, Run, Sentinel
from shared.models.base import Instant, Resource

_BECAUSE: dict[FireReason, str] = {
    FireReason.ON_TIME: "started on time",
    FireReason.CAUGHT_UP: "was caught up later, for no agent had looked at it in time",
    FireReason.QUEUED_BEHIND: "was queued behind a run that was still active",
    FireReason.REPLACED_RUNNING: "started in place of the run that was still active, which was cancelled",
    FireReason.OVERLAP_ACTIVE: "was skipped, because a run was still active (overlap: skip)",
    FireReason.OVERLAP_QUEUE_FULL: "was skipped, because enough runs were waiting already",
    FireReason.ACCOUNT_QUEUE_FULL: "was skipped, because as many runs were waiting as the account may have",
    FireReason.STANDS_FOR_LATER: "was not run by itself; a later fire stands for it",
    FireReason.CATCH_UP_NONE: "was missed: no agent looked at it in time, and the job catches nothing up",
    FireReason.OUTSIDE_CATCH_UP_WINDOW: "was missed: no agent looked at it in time, and it was too old to catch up",
    FireReason.AWAITING_OPERATOR: "is held for an operator: too many fires were missed at once",
    FireReason.AWAITING_TURN: "is to be caught up, and waits for its turn",
    FireReason.DISCARDED: "was missed, and an operator decided not to run it",
    FireReason.WINDOW_CLOSED: "did not start, because the job's window had closed",
    FireReason.JOB_PAUSED: "was not run, because the job was paused",
    FireReason.JOB_DELETED: "was missed, and the job was deleted before it could be caught up",
}
_PLURAL = [("was missed", "were missed"), ("was not", "were not"), ("looked at it", "looked at them"),
           ("it was too old", "they were too old")]  # fmt: skip


class Explanation(Resource):
    job: Job
    sentences: list[str]
    """How the job stands, then what became of its last fires."""
    last_fires: list[Fire]
    became: list[str]
    """Of each of them, in their order, what the last sentences say: what became of it, and why."""
    active_runs: list[Run]
    next_fires: list[Instant]
    sentinels: list[Sentinel] = []
    """Those that are open."""


async def explain(store: Store, drivers: Drivers, job: Job, now: datetime) -> Explanation:
    """Whatever is wrong with the job, this answers."""
    fires = await store.list_fires(job.account_id, job_id=job.id, limit=10)
    where = parse("state:pending,running,retrying", "run")
    active = await store.list_runs(RunQuery(job.account_id, where=where, job_id=job.id, limit=20))
    upcoming, fault = _upcoming(job, now)
    held = await store.backlog(job.account_id, job.id)
    unlike = await store.list_sentinels(job.account_id, job_id=job.id, is_open=True)
    sentences = [fault or _standing(job, upcoming), *_lack(drivers, job), *map(_unlike_itself, unlike)]
    sentences += [sentence for each in held for sentence in _still_missing(each)]
    sentences += [*(_waiting(run, now) for run in active), *map(told, fires)]
    return Explanation(
        job=job,
        sentences=sentences,
        last_fires=fires,
        became=[_became(fire) for fire in fires],
        active_runs=active,
        next_fires=upcoming,
        sentinels=unlike,
    )


def told(fire: Fire) -> str:
    """What became of a fire, or of a span of them, and why."""
    if fire.count > 1 and fire.until is not None:
        return f"{fire.count} fires from {_moment(fire.fire_at)} to {_moment(fire.until)} {_became(fire)}."
    return f"The fire of {_moment(fire.fire_at)} {_became(fire)}."


def _became(fire: Fire) -> str:
    because = _BECAUSE[fire.reason]
    if fire.reason is FireReason.WINDOW_CLOSED and fire.outcome is FireOutcome.STARTED:
        because = "started, and was not tried again, because the job's window had closed"
    if fire.reason is FireReason.DISCARDED and fire.decided_by:
        because = f"was missed, and {fire.decided_by} decided not to run it"
    if fire.reason is FireReason.CAUGHT_UP and fire.decided_by:
        because = f"was missed, and caught up later: {fire.decided_by} released it"
    if fire.stands_in_fire_at is not None:
        because = f"was not run by itself; the fire of {_moment(fire.stands_in_fire_at)} stands for it"
    if fire.count > 1 and fire.until is not None:
        for one, many in _PLURAL:
            because = because.replace(one, many)
    return because


def _upcoming(job: Job, now: datetime) -> tuple[list[datetime], str | None]:
    """The next fires; or none, and why the schedule cannot be read."""
    try:
        schedule = schedule_of(job, job.created_at)
    except InvalidInput as error:
        return [], f"Its schedule cannot be read any more, so it does not fire ({error.message}); publish it anew."
    promised = job.enabled and job.paused_at is None
    return schedule.between(now, datetime.max.replace(tzinfo=UTC), 5) if promised else [], None


def _standing(job: Job, upcoming: list[datetime]) -> str:
    if not job.enabled:
        return "It is disabled: it runs only by hand."
    if job.paused_at is not None:
        return f"It is paused since {_moment(job.paused_at)}: its moments are counted, not run."
    if job.interval_type == "none":
        return "It has no schedule: it runs only by hand or by API."
    if not upcoming:
        return "Its schedule has no moment left: it will not fire again."
    return f"It fires {job.schedule_text}; next at {_moment(upcoming[0])}."


def _still_missing(held: HeldJob) -> Iterator[str]:
    span = f"from {_moment(held.oldest)} to {_moment(held.newest)}"
    if held.waiting:
        wait = "waits" if held.waiting == 1 else "wait"
        yield (
            f"{held.waiting:,} of its missed fires {wait} for an operator ({span}): "
            f"`jobdeck catch-up release {held.slug}` or `discard`."
        )
    if held.released:
        stopped = f"; none starts while it is {held.stopped}" if held.stopped else ""
        turn = "waits for its turn" if held.released == 1 else "wait for their turn"
        yield f"{held.released:,} of its missed fires {turn}, one run after the other ({span}){stopped}."


def _lack(drivers: Drivers, job: Job) -> list[str]:
    if drivers.find(job.type) is None:
        return [f"Its job type '{job.type}' is not installed here: its runs fail until it is."]
    return []


def _unlike_itself(sentinel: Sentinel) -> str:
    known = f" ({sentinel.acknowledged_by} knows)" if sentinel.acknowledged_by else ""
    return f"It is {sentinel.kind.replace('_', ' ')} since {_moment(sentinel.since)}{known}: {sentinel.why}"


def _waiting(run: Run, now: datetime) -> str:
    if run.state == "running":
        asked = run.cancel_requested_at
        doing = f"is being cancelled since {_moment(asked)}" if asked else f"is running since {_since(run)}"
        return f"Run #{run.number} {doing}, attempt {run.attempt}."
    if run.cancel_due_at is not None:
        return f"Run #{run.number} is {run.state} and will be cancelled at {_moment(run.cancel_due_at)}, unless that is undone."
    if run.state == "retrying" and run.available_at > now:
        return f"Run #{run.number} failed and is tried again at {_moment(run.available_at)}, {_next_attempt(run)}."
    if run.available_at > now:
        why = "spread out with other caught-up runs" if run.cause == "catch_up" else "jitter"
        return f"Run #{run.number} is {run.state} and starts at {_moment(run.available_at)} ({why})."
    return f"Run #{run.number} is {run.state}: {_cause_of_wait(run.waiting_for)}."


def _cause_of_wait(waiting_for: str | None) -> str:
    if waiting_for is None or waiting_for.startswith("no "):
        return waiting_for or "it is about to start"
    if waiting_for.startswith("key "):
        return f"its concurrency {waiting_for.replace(': ', ' has ', 1)}"
    return f"it waits for {waiting_for}"


def _next_attempt(run: Run) -> str:
    return f"attempt {run.attempt + 1} of {run.max_attempts}"


def _since(run: Run) -> str:
    return _moment(run.started_at or run.created_at)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
