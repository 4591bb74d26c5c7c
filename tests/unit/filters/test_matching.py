from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.filters import Kind, Known, parse
from shared.models import Job, Progress, Run, RunError
from shared.models.audit import AuditEntry
from shared.states import RunState

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KNOWN = Known(tags={"job-1": ["Dev", "search"]}, slugs={"job-1": "orders-index"}, handles={"u1": "anna"})


def run(**fields: Any) -> Run:
    given: dict[str, Any] = {
        "id": "run-1", "number": 1, "job_id": "job-1", "job_name": "Orders ETL", "account_id": "main", "owner_id": "u1",
        "type": "kb-sync", "revision": 2, "state": RunState.RUNNING, "created_at": NOW - timedelta(hours=3),
        "available_at": NOW, "started_at": NOW - timedelta(hours=2), "attempt": 1,
    }  # fmt: skip
    return Run(**{**given, **fields})


def job(**fields: Any) -> Job:
    given: dict[str, Any] = {
        "id": "job-1", "name": "Orders ETL", "slug": "orders-index", "type": "kb-sync", "owner_id": "u1",
        "description": "copies läuft_orders", "account_id": "main", "tags": ["Dev"], "interval_type": "cron",
        "interval": "0 2 * * *", "schedule_text": "02:00 daily", "next_run_at": NOW + timedelta(hours=1),
        "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return Job(**{**given, **fields})


def says(text: str, item: Run | Job) -> bool:
    kind: Kind = "run" if isinstance(item, Run) else "job"
    return parse(text, kind).matches(item, NOW, KNOWN)


FAILED = run(
    state=RunState.FAILED,
    finished_at=NOW - timedelta(hours=1),
    error=RunError(kind="timeout", message="Connection refused by db-1", fingerprint="abc"),
    progress=Progress(done=1, total=4),
)


@pytest.mark.parametrize("text", [
    "", "state:running", "state:active", "state:failed,running", "-state:cancelling", "type:KB-SYNC", "name:~etl",
    'name:"orders etl"', "job:orders-index", "job:job-1", "tag:dev", "tag:~sea", "-tag:prod", "owner:anna", "owner:u1",
    "dur>1h", "dur<=2h", "-dur>2h", "dur>=2h", "started<3h", "started:today", "started>=2026-03-01", "created>2h59m",
    "started<2026-03-02", "started<=2026-03-01", "started:2026-03-01T10:00", "-started>2026-03-01", "finished:none",
    "-finished<1h", "-finished>1h", "attempt:1", "revision>1", "error:none", "-error:timeout", "-progress>0", "progress:none",
    "key:none", "worker:none", "ord", "etl", '"orders etl"', "-refused", "cause:schedule",
])  # fmt: skip
def test_a_running_run_matches(text: str) -> None:
    assert says(text, run())


@pytest.mark.parametrize("text", [
    "state:pending", "state:finished", "-state:active", "state:cancelling", "type:kb", "name:etl", "tag:none", "tag:de",
    "dur<2h", "dur>2h", "started>2h", "started<2h", "started:yesterday", "finished>1s", "-finished:none", "error:timeout",
    '"etl orders"', '"ord"', "rders", "refused", "owner:bob", "progress<50",
])  # fmt: skip
def test_a_running_run_does_not_match(text: str) -> None:
    assert not says(text, run())


@pytest.mark.parametrize("text", [
    "state:finished", "error:TIMEOUT", "error:abc", "error:~refused", "-error:none", "refus", '"connection refused"',
    "progress:25", "progress<50%", "dur<61m", "finished<2h",
])  # fmt: skip
def test_a_failed_run_matches(text: str) -> None:
    assert says(text, FAILED)


def test_equality_of_an_error_leaves_its_message_alone() -> None:
    assert not says('error:"connection refused by db-1"', FAILED)


def test_cancelling_is_running_with_a_mark() -> None:
    assert says("state:cancelling", run(cancel_requested_at=NOW))
    assert not says("state:cancelling", run(state=RunState.CANCELLED, finished_at=NOW, cancel_requested_at=NOW))


@pytest.mark.parametrize("text", [
    "enabled:yes", "-enabled:no", "paused:no", "next<2h", "next>30m", "-next:none", "schedule:cron", 'schedule:"0 2 * * *"',
    "schedule:~daily", "copies", "lauft", "LÄUFT", "tag:dev", "slug:orders-index", "updated:today", "next:today",
])  # fmt: skip
def test_a_job_matches(text: str) -> None:
    assert says(text, job())


@pytest.mark.parametrize(
    "text", ["enabled:no", "paused:yes", "next>1h", "next<1h", "schedule:daily", "tag:none", "copy"]
)
def test_a_job_does_not_match(text: str) -> None:
    assert not says(text, job())


def test_what_is_not_known_is_not_there() -> None:
    where = parse("tag:none", "run")
    assert where.matches(run(), NOW)
    assert not where.matches(run(), NOW, KNOWN)


@pytest.mark.parametrize("text", [
    "", "user:ADA", "user:u1", "subject:job-1", 'subject:"orders etl"', "act:put_job", "act:job.changed", "act:~job.",
    "outcome:refused", "-outcome:done", "at<2h", "at:today", "via:token", "address:~10.", "client:~curl", "token:t1",
    "reason:~edit", "revision>2", "count>1", "put_job", "ada", '"orders etl"', "-reason:none",
])  # fmt: skip
def test_an_entry_of_the_audit_matches(text: str) -> None:
    entry = AuditEntry(
        number=7, at=NOW - timedelta(hours=1), last_at=NOW, account_id="main", user_id="u1", handle="Ada", via="token", token_id="t1",
        address="10.0.0.7", client="curl/8", act="put_job", event="job.changed", subject_id="job-1", subject_name="Orders ETL",
        revision=3, outcome="refused", reason="this needs job:edit", count=4,
    )  # fmt: skip
    assert parse(text, "audit").matches(entry, NOW)
    assert not text or not parse(f"-{text.removeprefix('-')}" if text[0] != "-" else text[1:], "audit").matches(
        entry, NOW
    )
