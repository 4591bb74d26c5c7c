"""Jobs, runs and outcomes for tests, said shortly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from agent.core.ports import Store
from agent.core.records import (
    ActiveLimit,
    ClaimedRun,
    Fence,
    FireRow,
    NewJob,
    NewRun,
    Outcome,
    RunQuery,
    ScheduleMarks,
    SettledJob,
)
from shared.filters import parse
from shared.ids import new_id
from shared.models import FireOutcome, FireReason, Job, JobInput, Run, RunError
from shared.models.dataset import Dataset

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)
MINUTE = timedelta(minutes=1)


def marks(
    next_fire_at: datetime | None = None, *, window_end: datetime | None = None, zone: str = "2026a"
) -> ScheduleMarks:
    return ScheduleMarks(next_fire_at, NOW - timedelta(hours=1), window_end, zone, "every minute")


def definition(name: str = "Orders", **fields: Any) -> JobInput:
    return JobInput.model_validate({"name": name, "type": "command", **fields})


def fence(claimed: ClaimedRun) -> Fence:
    assert claimed.run.worker_id is not None
    return Fence(claimed.run.id, claimed.run.attempt, claimed.run.worker_id)


def completed(claimed: ClaimedRun, at: datetime = NOW, **fields: Any) -> Outcome:
    return Outcome(fence(claimed), "completed", at, **fields)


def failed(claimed: ClaimedRun, message: str = "connection refused", at: datetime = NOW) -> Outcome:
    return Outcome(fence(claimed), "failed", at, error=RunError(kind="refused", message=message, fingerprint="f1"))


def retrying(claimed: ClaimedRun, due: datetime, at: datetime = NOW) -> Outcome:
    error = RunError(kind="refused", message="connection refused", transient=True)
    return Outcome(fence(claimed), "retrying", at, error=error, retry_at=due)


def started(job: Job, fire_at: datetime, **run: Any) -> FireRow:
    new = NewRun(new_id(), job.id, run.pop("cause", "schedule"), fire_at, run.pop("available_at", fire_at), **run)
    return FireRow(fire_at, FireOutcome.STARTED, FireReason.ON_TIME, new)


class Maker:
    """Puts things into a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def job(
        self,
        name: str = "Orders",
        *,
        account: str = "main",
        next_fire_at: datetime | None = None,
        window_end: datetime | None = None,
        zone: str = "2026a",
        through: str = "api",
        limit: ActiveLimit | None = None,
        owner: str = "anna-id",
        **fields: Any,
    ) -> Job:
        given = definition(name, **fields)
        slug = given.slug or name.lower().replace(" ", "-")
        schedule = marks(next_fire_at, window_end=window_end, zone=zone)
        return await self.store.insert_job(NewJob(new_id(), account, owner, slug, given, schedule, through, limit), NOW)

    async def run(self, job: Job, *, now: datetime = NOW, due: datetime = NOW, **fields: Any) -> Run:
        run = NewRun(new_id(), job.id, fields.pop("cause", "api"), fields.pop("fire_at", None), due, **fields)
        return (await self.store.insert_runs([run], now))[0]

    async def claim(self, *workers: str, now: datetime = NOW, agent: str = "agent-1") -> list[ClaimedRun]:
        return await self.store.claim(workers or ("w1",), agent, now + LEASE, now)

    async def claimed(self, job: Job, worker: str = "w1") -> ClaimedRun:
        await self.run(job)
        [claimed] = await self.claim(worker)
        return claimed

    async def settle(self, job: Job, *rows: FireRow, next_fire_at: datetime | None = None, **fields: Any) -> list[Run]:
        version = fields.pop("version", job.version)
        high_water = fields.pop("high_water", NOW)
        return await self.store.settle(
            [SettledJob(job.id, version, list(rows), high_water, next_fire_at, **fields)], NOW
        )

    async def runs(self, filter: str = "", **fields: Any) -> list[Run]:  # noqa: A002
        return await self.store.list_runs(RunQuery("main", parse(filter, "run"), **fields))

    async def read(self, run: Run | ClaimedRun) -> Run:
        return await self.store.get_run("main", run.run.id if isinstance(run, ClaimedRun) else run.id)


def dataset(name: str = "orders", account: str = "main", **fields: object) -> Dataset:
    given = {
        "id": new_id(),
        "name": name,
        "account_id": account,
        "owner_id": "anna-id",
        "connection": "orders_db",
        "query": "SELECT * FROM orders WHERE id > :least",
        "parameters": {"least": 10},
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Dataset.model_validate({**given, **fields})
