"""What else there is in the fixed world (tests/harness/console.py): a ledger, workers, data, and fires that were missed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.models import (
    Connection,
    Fire,
    FireOutcome,
    FireReason,
    HeldJob,
    KnowledgeBase,
    Secret,
    Sentinel,
    Worker,
)
from tests.harness.console import NOW, fixed_job, job_id, run_id
from tests.harness.stand_in import StandIn

_OWNED: dict[str, Any] = {"account_id": "main", "created_at": NOW - timedelta(days=3)}


def fixed_night(agent: StandIn) -> StandIn:
    """The same agent, with all of that. Missed fires are in its backlog, and `held` says none: no line tells of them."""
    agent.fires = fixed_fires()
    agent.sentinels = [
        Sentinel(
            id="s-1", number=1, job_id=job_id(4), job_name="Nightly backup", kind="too_slow", since=NOW - timedelta(hours=1),
            opened_at=NOW - timedelta(minutes=50), why="it has run for 1h 5m; nine of ten runs took less than 20m",
        )
    ]  # fmt: skip
    agent.workers = [
        Worker(id="w-2", agent_id="a-1", pid=4712, state="idle", started_at=NOW, heartbeat_at=NOW, runs_done=7),
        Worker(id="w-1", agent_id="a-1", pid=4711, state="busy", run_id=run_id(90), job_name="Orders into the index",
               started_at=NOW - timedelta(hours=2), heartbeat_at=NOW - timedelta(minutes=3), runs_done=41),
    ]  # fmt: skip
    agent.things = {
        "connections": [
            Connection(id="c-1", name="shop", kind="postgresql", url="postgresql://reader@db/shop", secret_name="shop", **_OWNED),
            Connection(id="broken", name="old", kind="mysql", url="mysql://x@old/y", **_OWNED),
        ],
        "knowledge-bases": [
            KnowledgeBase(id="kb-1", number=1, name="orders_kb", embedder="wordllama", dimensions=256, rows=21505, updated_at=NOW, **_OWNED)
        ],
        "secrets": [Secret(name="shop", account_id="main", updated_at=NOW - timedelta(days=2))],
    }  # fmt: skip
    agent.backlog = [
        fixed_held(2, 1200),
        fixed_held(6, 9),
        fixed_held(4, 31, newest=900),
        fixed_held(7, 5, stopped="paused"),
    ]
    return agent


def fixed_fires() -> list[Fire]:
    """Newest first: one that started, a pause, one that was skipped, then four hundred that started."""
    return [
        fixed_fire(900, 2, "started", "on_time", run_id=run_id(83)),
        fixed_fire(899, 7, "paused", "job_paused", count=30, until=NOW - timedelta(minutes=2)),
        fixed_fire(898, 6, "skipped", "overlap_active"),
        *(fixed_fire(number, 1, "started", "on_time", run_id=run_id(66)) for number in range(897, 497, -1)),
    ]


def fixed_fire(number: int, job: int, outcome: str, reason: str, **fields: Any) -> Fire:
    at = NOW - timedelta(minutes=1000 - number)
    return Fire(
        id=number, job_id=job_id(job), fire_at=at, outcome=FireOutcome(outcome), reason=FireReason(reason),
        decided_at=at, **fields,
    )  # fmt: skip


def fixed_held(number: int, waiting: int, newest: int = 5, **fields: Any) -> HeldJob:
    """Missed fires of that job; the newest so many minutes ago."""
    job = fixed_job(number)
    given: dict[str, Any] = {
        "job_id": job.id, "job_name": job.name, "slug": job.slug, "waiting": waiting, "released": 0,
        "oldest": NOW - timedelta(hours=9), "newest": NOW - timedelta(minutes=newest),
    }  # fmt: skip
    return HeldJob(**given | fields)
