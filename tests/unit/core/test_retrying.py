"""What becomes of a run whose attempt has ended."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.records import ClaimedRun, Fence, Outcome
from agent.core.running.retrying import back_off, decide_outcome
from agent.core.wire import Ended
from shared.models import JobInput, Policies, Retry, Run, RunError
from shared.states import RunState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def claimed(attempt: int = 1, attempts: int = 3, on_lost: Any = None, **changes: Any) -> ClaimedRun:
    policies = Policies(retry=Retry(attempts=attempts), on_lost=on_lost)
    run = Run(
        id="r", number=1, job_id="j", job_name="J", account_id="a", owner_id="o", type="command", revision=1,
        state=RunState.RUNNING, created_at=NOW, available_at=NOW, attempt=attempt, max_attempts=attempts, **changes,
    )  # fmt: skip
    return ClaimedRun(run, JobInput(name="J", type="command", policies=policies), policies, None)


def decide(
    run: ClaimedRun, ended: Ended | None, *, repeat_safe: bool = True, window_end: datetime | None = None
) -> Outcome:
    fence = Fence("r", run.run.attempt, "w")
    return decide_outcome(
        run, fence, ended, repeat_safe=repeat_safe, window_end=window_end, now=NOW, rng=random.Random(1)
    )


def failed(*, transient: bool) -> Ended:
    error = RunError(kind="exit_status", message="exit 1", transient=transient)
    return Ended(run_id="r", attempt=1, outcome="failed", at=NOW, error=error)


@pytest.mark.parametrize(
    ("attempt", "transient", "state"), [(1, True, "retrying"), (3, True, "failed"), (1, False, "failed")]
)
def test_only_transient_errors_are_retried_while_attempts_are_left(attempt: int, transient: bool, state: str) -> None:
    assert decide(claimed(attempt), failed(transient=transient)).state == state


@pytest.mark.parametrize(
    ("on_lost", "repeat_safe", "state"),
    [(None, True, "retrying"), (None, False, "failed"), ("retry", False, "retrying"), ("fail", True, "failed")],
)
def test_a_lost_worker_goes_by_policy_then_by_driver(on_lost: Any, repeat_safe: bool, state: str) -> None:
    outcome = decide(claimed(on_lost=on_lost), None, repeat_safe=repeat_safe)
    assert outcome.state == state
    assert outcome.error is not None
    assert outcome.error.kind == "lost"


def test_a_lost_worker_whose_run_was_to_be_cancelled_is_cancelled() -> None:
    assert decide(claimed(cancel_requested_at=NOW), None).state == "cancelled"


def test_no_retry_starts_after_the_window() -> None:
    assert decide(claimed(), failed(transient=True), window_end=NOW + timedelta(seconds=1)).state == "failed"


@given(st.integers(1, 100), st.integers(0, 2**32))
def test_back_off_grows_to_its_longest_and_never_past_it(attempt: int, seed: int) -> None:
    retry = Retry(backoff="2 s", max_backoff="10 minutes")  # type: ignore[arg-type]
    span = back_off(retry, attempt, random.Random(seed)).total_seconds()
    full = min(600.0, 2.0 * 2.0 ** (attempt - 1))
    assert 0.75 * full <= span <= full
