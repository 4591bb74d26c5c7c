"""An opened agent whose duties the test moves one poll at a time: real store, real rules, a clock that stands still."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from agent.app import Agent, open_agent
from agent.core.permissions.callers import EVERY_SCOPE, Caller, Scope
from agent.core.records import ClaimedRun, Fence, Outcome, RunQuery
from agent.core.wire import Ended, RunMessage
from agent.services.dispatcher import Dispatcher
from agent.services.poller import Poller
from agent.services.scheduler import Scheduler
from agent.settings import Settings
from agent.store import STORE_FILE
from shared.clock import ManualClock
from shared.models import Fire, Job, JobInput, Run, RunError, Worker
from tests.harness.prepared import prepare_folder

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
D = TypeVar("D", bound=Poller)


class Bench:
    """An executor's bench of idle workers: it takes orders and keeps them; the test says how each ends."""

    def __init__(self, *ids: str) -> None:
        self.ids = list(ids)
        self.orders: dict[str, Any] = {}
        self.cancelled: list[str] = []
        self.swept: list[str] = []
        self.settled_runs: list[str] = []

    def idle_workers(self) -> list[str]:
        return [worker for worker in self.ids if worker not in self.orders]

    def workers(self) -> list[Worker]:
        return []

    def execute(self, worker_id: str, order: Any) -> None:
        if worker_id not in self.idle_workers():
            raise RuntimeError(f"there is no worker {worker_id}")
        self.orders[worker_id] = order

    def prepare(self, worker_id: str, _order: Any, _begun: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError(f"nothing can be prepared in worker {worker_id}")

    def cancel(self, run_id: str, reason: str = "cancel") -> None:
        if any(order.run_id == run_id for order in self.orders.values()):
            self.cancelled.append(run_id)

    def settled(self, run_id: str) -> None:
        self.settled_runs.append(run_id)

    async def sweep(self, run_ids: Sequence[str]) -> None:
        self.swept += run_ids


@dataclass
class Stage:
    agent: Agent
    clock: ManualClock
    path: Path

    @property
    def core(self) -> Any:
        return self.agent.core

    @property
    def me(self) -> Caller:
        return self.agent.core.gate.local()

    def without(self, *scopes: Scope, account: str | None = None) -> Caller:
        return replace(self.me, account_id=account or self.me.account_id, scopes=EVERY_SCOPE - set(scopes), via="token")

    def duty(self, kind: type[D]) -> D:
        return next(duty for duty in self.agent.duties if isinstance(duty, kind))

    def man(self, bench: Bench) -> Bench:
        """Put the bench in the place of the workers."""
        for part in (self.duty(Dispatcher), self.agent.supervisor, self.agent.rescuer):
            part._executor = bench  # type: ignore[assignment]
        return bench

    async def job(self, name: str = "Job", caller: Caller | None = None, **fields: Any) -> Job:
        return await self.core.jobs.create(caller or self.me, definition(name, **fields))  # type: ignore[no-any-return]

    async def minutely(self, name: str = "Job", overlap: str = "skip", **fields: Any) -> Job:
        policies = {"overlap": overlap, **fields.pop("policies", {})}
        return await self.job(name, interval_type="cron", interval="* * * * *", policies=policies, **fields)

    async def edit(self, job: Job, caller: Caller | None = None, **changes: Any) -> Job:
        known = {name: getattr(job, name) for name in JobInput.model_fields}
        given = JobInput.model_validate({**known, **changes})
        return await self.core.jobs.replace(caller or self.me, job.id, given, None)  # type: ignore[no-any-return]

    async def settle(self) -> None:
        """Let the scheduler work until nothing is due."""
        while await self.duty(Scheduler).poll() == 0:
            pass

    async def tick(self, span: timedelta = MINUTE) -> None:
        self.clock.advance(span)
        await self.settle()

    async def dispatch(self) -> None:
        """Let the dispatcher work until it has nothing to hand over."""
        while await self.duty(Dispatcher).poll() == 0:
            pass

    async def claim(self, places: int = 1) -> list[ClaimedRun]:
        now = self.clock.now()
        workers = [f"w{number}" for number in range(places)]
        return await self.agent.sql.claim(workers, "bench", now + MINUTE, now)

    async def complete(self, claimed: ClaimedRun) -> None:
        fence = Fence(claimed.run.id, claimed.run.attempt, claimed.run.worker_id or "")
        await self.agent.sql.finish([Outcome(fence, "completed", self.clock.now(), result={})], self.clock.now())

    async def work_off(self) -> list[Run]:
        """Run everything that may run now, one after the other; in the order in which they ran."""
        done = []
        while claimed := await self.claim():
            await self.complete(claimed[0])
            done.append(claimed[0].run)
        return done

    async def end(self, order: Any, worker: str, outcome: Any = "completed", error: RunError | None = None) -> None:
        """The worker's last word about its order."""
        ended = Ended(run_id=order.run_id, attempt=order.attempt, outcome=outcome, at=self.clock.now(), error=error)
        await self.agent.supervisor.end(worker, ended, RunMessage(run_id=order.run_id, attempt=order.attempt))

    async def fires(self, job: Job) -> list[Fire]:
        """Oldest first."""
        found = await self.agent.sql.list_fires(job.account_id, job_id=job.id, limit=200)
        return sorted(found, key=lambda fire: fire.fire_at)

    async def fates(self, job: Job) -> list[str]:
        return [f"{fire.outcome} {fire.reason}" for fire in await self.fires(job)]

    async def runs(self, job: Job) -> list[Run]:
        """Oldest first."""
        return (await self.agent.sql.list_runs(RunQuery(job.account_id, job_id=job.id, limit=200)))[::-1]

    def sql(self, statement: str, **values: Any) -> None:
        """What no verb of the store does: a row as another version, or a mishap, would have left it."""
        engine = sa.create_engine(f"sqlite:///{self.path / STORE_FILE}", connect_args={"timeout": 10})
        with engine.begin() as connection:
            connection.execute(sa.text(statement), values)
        engine.dispose()


def definition(name: str, **fields: Any) -> JobInput:
    return JobInput.model_validate({"name": name, "type": "command", "data": {"command": ["true"]}, **fields})


@asynccontextmanager
async def opened(path: Path, clock: ManualClock | None = None, **settings: Any) -> AsyncIterator[Stage]:
    clock = clock or ManualClock(NOON)
    agent = await open_agent(
        Settings(data_dir=prepare_folder(path), bind="", **settings), clock=clock, rng=random.Random(7)
    )
    try:
        yield Stage(agent, clock, path)
    finally:
        await agent.close()
