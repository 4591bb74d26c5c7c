"""What becomes of a run whose attempt has ended: pure."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from agent.core.records import ClaimedRun, Fence, Outcome
from agent.core.wire import Ended
from shared.models import Retry, RunError


def decide_outcome(
    claimed: ClaimedRun,
    fence: Fence,
    ended: Ended | None,
    *,
    repeat_safe: bool,
    window_end: datetime | None,
    now: datetime,
    rng: random.Random,
) -> Outcome:
    """`ended` None: the worker was lost. Transient errors and losses are retried while attempts are left and the
    job's window is open; a loss only if the on-lost policy (or, without one, the driver) says so."""
    error = ended.error if ended else _lost(claimed)
    if ended is None and claimed.run.cancel_requested_at is not None:
        return Outcome(fence, "cancelled", now)
    if ended is not None and ended.outcome != "failed":
        return Outcome(fence, ended.outcome, ended.at, result=ended.result)
    assert error is not None
    again = error.transient if ended else retries_when_lost(claimed, repeat_safe=repeat_safe)
    retry_at = now + back_off(claimed.policies.retry, claimed.run.attempt, rng)
    if again and claimed.run.attempt < claimed.run.max_attempts:
        if window_end is None or retry_at <= window_end:
            return Outcome(fence, "retrying", now, error=error, retry_at=retry_at)
        error = error.model_copy(update={"message": f"{error.message}; not tried again: the job's window closes"})
    return Outcome(fence, "failed", ended.at if ended else now, error=error, result=ended.result if ended else None)


def back_off(retry: Retry, attempt: int, rng: random.Random) -> timedelta:
    """Doubling from attempt to attempt up to the longest, and a quarter of it at random so that a crowd spreads."""
    longest = retry.max_backoff.total_seconds()
    seconds = min(longest, retry.backoff.total_seconds() * 2.0 ** min(attempt - 1, 40))
    return timedelta(seconds=seconds * rng.uniform(0.75, 1.0))


def retries_when_lost(claimed: ClaimedRun, *, repeat_safe: bool) -> bool:
    policy = claimed.policies.on_lost or ("retry" if repeat_safe else "fail")
    return policy == "retry"


def _lost(claimed: ClaimedRun) -> RunError:
    return RunError(
        kind="lost",
        message=f"the worker was lost during attempt {claimed.run.attempt}; its processes are proven gone",
        transient=True,
        fingerprint="lost",
    )
