"""Jobs and runs in a few words."""

from __future__ import annotations

from datetime import datetime

from console.model.estimates import elapsed, fraction, is_late, overdue
from console.render.spans import ago, countdown, short_span
from shared.models import Job, Run
from shared.states import FINAL


def state_of(run: Run) -> str:
    """The state, or `cancelling`, which is a mark beside it."""
    is_asked = run.cancel_requested_at is not None and run.cancel_due_at is None
    return "cancelling" if is_asked and run.state not in FINAL else str(run.state)


def took(run: Run, now: datetime) -> str:
    """How long it took or has taken; of pending runs how long they wait, and what for."""
    spent = elapsed(run, now)
    if spent is not None:
        return short_span(spent) + (", late" if is_late(run, now) else "")
    waits = overdue(run, now)
    return "" if waits is None else f"waits {short_span(waits)}"


def done(run: Run) -> str:
    """`40% 400/1,000 rows`, or what is known of it."""
    progress = run.progress
    part = fraction(run)
    if part is None:
        return f"{progress.done:,} {progress.unit}".strip() if progress.done else ""
    return f"{part:.0%} {progress.done:,}/{progress.total:,} {progress.unit}".strip()


def when(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return ""
    return countdown(moment, now) if moment > now else ago(moment, now)


def schedule_of(job: Job) -> str:
    return job.schedule_text or job.interval or job.interval_type


def standing(job: Job) -> str:
    unlike = "".join(f", {kind.replace('_', ' ')}" for kind in job.sentinels)
    if job.paused_at is not None:
        return f"paused{unlike}"
    return f"on{unlike}" if job.enabled else "off"
