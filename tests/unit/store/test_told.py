"""What events tell of runs is what pydantic would make of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from agent.store.told import data_of, fire_data, zulu
from shared.models import Fire, FireOutcome, FireReason, Progress, Run, RunError
from shared.states import RunState

AT = datetime(2026, 3, 1, 12, 30, 5, 123456, tzinfo=UTC)
PENDING = Run(
    id="r", number=7, job_id="j", job_name="Orders", account_id="main", owner_id="anna", type="command", revision=2,
    state=RunState.PENDING, created_at=AT, available_at=AT.replace(microsecond=0),
)  # fmt: skip
FAILED = PENDING.model_copy(
    update={
        "state": RunState.FAILED,
        "fire_at": AT,
        "started_at": AT + timedelta(seconds=1),
        "finished_at": AT + timedelta(microseconds=999_999),
        "cancel_requested_at": AT,
        "cancel_due_at": AT,
        "cancel_deadline_at": AT,
        "progress": Progress(done=3, total=4, unit="rows", note="halfway"),
        "error": RunError(kind="refused", message="connection refused", transient=True, fingerprint="f"),
        "result": {"rows": [1, 2.5, None, "ü"]},
        "warnings": ["one"],
        "waiting_for": "no free worker",
        "expected_seconds": 1.5,
    }
)
ABROAD = PENDING.model_copy(update={"available_at": AT.astimezone(timezone(timedelta(hours=5, minutes=30)))})


@pytest.mark.parametrize("run", [PENDING, FAILED, ABROAD])
def test_a_run_is_told_as_the_api_answers_it(run: Run) -> None:
    assert data_of(run) == run.model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize(
    "more", [{}, {"run_id": "r", "until": AT, "count": 3}, {"stands_in_fire_at": AT, "decided_by": "x"}]
)
def test_a_fire_is_told_as_the_api_answers_it(more: dict[str, Any]) -> None:
    fire = Fire(
        id=3, job_id="j", fire_at=AT.replace(microsecond=0), outcome=FireOutcome.SKIPPED,
        reason=FireReason.OVERLAP_ACTIVE, decided_at=AT, **more,
    )  # fmt: skip
    assert fire_data(fire.__dict__) == fire.model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize("micros", [0, 1, 999, 1000, 123456, 999_999])
def test_a_moment_is_written_as_the_api_writes_it(micros: int) -> None:
    moment = AT.replace(microsecond=micros)
    run = PENDING.model_copy(update={"created_at": moment})
    assert zulu(moment) == run.model_dump(mode="json")["created_at"]
