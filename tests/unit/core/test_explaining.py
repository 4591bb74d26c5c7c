"""Every word of the ledger, and every way to wait, reads as a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.core.jobs.explaining import _waiting, told
from shared.models import Fire, FireOutcome, FireReason, Run
from shared.states import RunState

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
AT = "2026-03-02 12:00:00Z"
LATER = "2026-03-02 13:00:00Z"


@pytest.mark.parametrize(
    ("outcome", "reason", "sentence"),
    [
        ("started", "on_time", f"The fire of {AT} started on time."),
        ("started", "caught_up", f"The fire of {AT} was caught up later, for no agent had looked at it in time."),
        ("started", "queued_behind", f"The fire of {AT} was queued behind a run that was still active."),
        (
            "started",
            "replaced_running",
            f"The fire of {AT} started in place of the run that was still active, which was cancelled.",
        ),
        (
            "skipped",
            "overlap_active",
            f"The fire of {AT} was skipped, because a run was still active (overlap: skip).",
        ),
        ("skipped", "overlap_queue_full", f"The fire of {AT} was skipped, because enough runs were waiting already."),
        (
            "missed",
            "catch_up_none",
            f"The fire of {AT} was missed: no agent looked at it in time, and the job catches nothing up.",
        ),
        (
            "missed",
            "outside_catch_up_window",
            f"The fire of {AT} was missed: no agent looked at it in time, and it was too old to catch up.",
        ),
        (
            "held",
            "awaiting_operator",
            f"The fire of {AT} is held for an operator: too many fires were missed at once.",
        ),
        ("skipped", "window_closed", f"The fire of {AT} did not start, because the job's window had closed."),
        (
            "started",
            "window_closed",
            f"The fire of {AT} started, and was not tried again, because the job's window had closed.",
        ),
        ("paused", "job_paused", f"The fire of {AT} was not run, because the job was paused."),
    ],
)
def test_a_fire(outcome: str, reason: str, sentence: str) -> None:
    assert told(fire(outcome, reason)) == sentence


def test_a_fire_that_another_stands_for() -> None:
    coalesced = fire("coalesced", "stands_for_later", stands_in_fire_at=NOON + timedelta(hours=1))
    assert told(coalesced) == f"The fire of {AT} was not run by itself; the fire of {LATER} stands for it."


@pytest.mark.parametrize(
    ("outcome", "reason", "fate"),
    [
        ("paused", "job_paused", "were not run, because the job was paused"),
        (
            "missed",
            "outside_catch_up_window",
            "were missed: no agent looked at them in time, and they were too old to catch up",
        ),
        ("missed", "catch_up_none", "were missed: no agent looked at them in time, and the job catches nothing up"),
    ],
)
def test_a_span_of_fires(outcome: str, reason: str, fate: str) -> None:
    span = fire(outcome, reason, count=60, until=NOON + timedelta(hours=1))
    assert told(span) == f"60 fires from {AT} to {LATER} {fate}."


@pytest.mark.parametrize("reason", FireReason)
def test_no_reason_is_without_words(reason: FireReason) -> None:
    assert told(fire("started", reason)).startswith(f"The fire of {AT} ")


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        ({"state": "pending", "waiting_for": "no free worker"}, "Run #1 is pending: no free worker."),
        (
            {"state": "pending", "waiting_for": "key orders: 1 of 1 running"},
            "Run #1 is pending: its concurrency key orders has 1 of 1 running.",
        ),
        (
            {"state": "pending", "waiting_for": "an older run of this job"},
            "Run #1 is pending: it waits for an older run of this job.",
        ),
        ({"state": "pending"}, "Run #1 is pending: it is about to start."),
        (
            {"state": "pending", "available_at": NOON + timedelta(hours=1)},
            f"Run #1 is pending and starts at {LATER} (jitter).",
        ),
        (
            {"state": "pending", "cause": "catch_up", "available_at": NOON + timedelta(hours=1)},
            f"Run #1 is pending and starts at {LATER} (spread out with other caught-up runs).",
        ),
        (
            {"state": "retrying", "attempt": 1, "max_attempts": 3, "available_at": NOON + timedelta(hours=1)},
            f"Run #1 failed and is tried again at {LATER}, attempt 2 of 3.",
        ),
        ({"state": "running", "attempt": 2, "started_at": NOON}, f"Run #1 is running since {AT}, attempt 2."),
        (
            {"state": "running", "attempt": 1, "cancel_requested_at": NOON},
            f"Run #1 is being cancelled since {AT}, attempt 1.",
        ),
    ],
)
def test_an_active_run(run: dict[str, Any], sentence: str) -> None:
    fields = {
        "id": "r", "number": 1, "job_id": "j", "job_name": "J", "account_id": "a", "owner_id": "o", "type": "command",
        "revision": 1, "created_at": NOON, "available_at": NOON, **run, "state": RunState(run["state"]),
    }  # fmt: skip
    assert _waiting(Run.model_validate(fields), NOON) == sentence


def fire(outcome: str, reason: str, **more: Any) -> Fire:
    fields = {"id": 1, "job_id": "j", "fire_at": NOON, "decided_at": NOON, **more}
    return Fire(outcome=FireOutcome(outcome), reason=FireReason(reason), **fields)
