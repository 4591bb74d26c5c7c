"""How long a run takes: elapsed, remaining, late. Spans of time; `now` is the agent's clock as seen here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.models import Run


def elapsed(run: Run, now: datetime) -> timedelta | None:
    """Since it started, until it ended or now; None for what has not started."""
    if run.started_at is None:
        return None
    return max(timedelta(0), (run.finished_at or now) - run.started_at)


def fraction(run: Run) -> float | None:
    """Done part of the work, 0 to 1; None where the total is not known."""
    total = run.progress.total
    return min(1.0, run.progress.done / total) if total else None


def remaining(run: Run, now: datetime) -> timedelta | None:
    """What is likely left. The job's history speaks first, the run's own pace the more the further it is:
    a run that is slower than ever must not promise to end at once."""
    spent = elapsed(run, now)
    if spent is None or run.finished_at is not None:
        return None
    by_history = None if run.expected_seconds is None else run.expected_seconds - spent.total_seconds()
    done = fraction(run)
    by_pace = spent.total_seconds() * (1 - done) / done if done else None
    seconds = _weigh(by_history, by_pace, done or 0.0)
    return None if seconds is None else timedelta(seconds=max(0.0, seconds))


def is_late(run: Run, now: datetime) -> bool:
    """Running longer than nine of ten of the job's runs."""
    spent = elapsed(run, now)
    if spent is None or run.finished_at is not None or run.late_after_seconds is None:
        return False
    return spent.total_seconds() > run.late_after_seconds


def overdue(run: Run, now: datetime) -> timedelta | None:
    """How long a due run has been waiting to start; None if it is not due or has started."""
    if run.started_at is not None or run.finished_at is not None or run.available_at > now:
        return None
    return now - run.available_at


def kill_in(run: Run, now: datetime) -> timedelta | None:
    """Until KILL follows TERM, for a run that is being cancelled."""
    if run.cancel_deadline_at is None or run.finished_at is not None:
        return None
    return max(timedelta(0), run.cancel_deadline_at - now)


def _weigh(by_history: float | None, by_pace: float | None, weight: float) -> float | None:
    """None when nothing is known, or when history is used up and there is no pace to go by."""
    if by_history is None or by_pace is None:
        known = by_pace if by_history is None else by_history
        return known if known is not None and known > 0 else None
    return by_history * (1 - weight) + by_pace * weight if by_history > 0 else by_pace
