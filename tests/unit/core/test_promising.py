"""Which runs a busy worker may be promised, and how many."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.core.records import ClaimedRun
from agent.core.running.promising import FEW, MANY, SHORT, Promising
from agent.drivers.registry import DriverRegistry
from shared.models import JobInput, Policies, Run
from shared.states import RunState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = 100 * SHORT


@pytest.fixture
def promising() -> Promising:
    """Who has seen three short runs of a type."""
    made = Promising(DriverRegistry())
    for _ in range(3):
        made.note("api-call", SHORT)
    return made


def claimed(policies: dict[str, Any] | None = None, **changes: Any) -> ClaimedRun:
    rules = Policies.model_validate({"on_lost": "retry", **(policies or {})})
    named = {"type": "api-call", "attempt": 1, "max_attempts": 3, **changes}
    run = Run(
        id="r", number=1, job_id="j", job_name="J", account_id="a", owner_id="o", revision=1,
        state=RunState.RUNNING, created_at=NOW, available_at=NOW, **named,
    )  # fmt: skip
    return ClaimedRun(run, JobInput(name="J", type=run.type, policies=rules), rules, None)


def test_a_short_run_that_would_be_tried_again_may_wait(promising: Promising) -> None:
    assert promising.may_wait(claimed())


@pytest.mark.parametrize(
    "other",
    [
        {"attempt": 3},
        {"type": "command"},
        {"expected_seconds": LONG},
        {"concurrency_key": "orders"},
        {"policies": {"on_lost": "fail"}},
        {"policies": {"limits": {"memory": "1 GB"}}},
        {"policies": {"limits": {"open_files": 100}}},
    ],
    ids=str,
)
def test_what_nobody_may_lose_or_wait_behind_does_not(promising: Promising, other: dict[str, Any]) -> None:
    assert not promising.may_wait(claimed(**other))


def test_nor_what_cannot_be_read(promising: Promising) -> None:
    assert not promising.may_wait(replace(claimed(), unreadable="revision 1: it is damaged"))


def test_one_long_run_and_its_type_has_to_prove_itself_again(promising: Promising) -> None:
    promising.note("api-call", LONG)
    assert not promising.may_wait(claimed())
    for _ in range(3):
        assert not promising.has_any
        promising.note("api-call", SHORT)
    assert promising.has_any


def test_the_shorter_the_runs_the_more_may_wait_and_a_long_one_is_forgotten_in_time(promising: Promising) -> None:
    assert promising.most == FEW
    for _ in range(100):
        promising.note("api-call", SHORT / 1000)
    assert (promising.most, promising.most_together) == (MANY, MANY)
    promising.note("api-call", SHORT)
    assert promising.most < MANY
