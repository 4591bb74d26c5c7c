"""A job's days, driven by hand: fires, runs of any length and outcome, and a look of the sentinels after each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from agent.core.records import Fence, Outcome
from agent.services.sentinel import Sentinels
from shared.models import Event, Job, RunError, Sentinel
from tests.functional.agent.stage import MINUTE, Stage


@dataclass
class Life:
    """A job's days: it fires every ten minutes, and the test says how each run goes."""

    stage: Stage
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stage.agent.sql.subscribe(lambda events: self.told.extend(e for e in events if "sentinel" in e.kind))

    async def job(self, name: str = "Orders", **fields: Any) -> Job:
        return await self.stage.job(name, **{"interval_type": "cron", "interval": "*/10 * * * *", **fields})

    async def run(self, seconds: float = 60, outcome: Any = "completed", wait: timedelta = 10 * MINUTE) -> None:
        """The next fire, its run of so many seconds, and a look."""
        clock = self.stage.clock
        clock.advance(wait - timedelta(seconds=clock.now().timestamp() % wait.total_seconds()))
        await self.stage.settle()
        await self.start()
        await self.end(seconds, outcome)

    async def start(self) -> None:
        [self.claimed] = await self.stage.claim()

    async def end(self, seconds: float, outcome: Any = "completed") -> None:
        clock, run = self.stage.clock, self.claimed.run
        clock.advance(timedelta(seconds=seconds))
        error = RunError(kind="exit_status", message="exit status 1") if outcome == "failed" else None
        fence = Fence(run.id, run.attempt, run.worker_id or "")
        await self.stage.agent.sql.finish([Outcome(fence, outcome, clock.now(), error=error)], clock.now())
        await self.look()

    async def regular(self, count: int = 15) -> None:
        for _ in range(count):
            await self.run()

    async def look(self) -> None:
        while await self.stage.duty(Sentinels).poll() == 0:
            pass

    async def listed(self, **which: Any) -> list[Sentinel]:
        return await self.stage.agent.sql.list_sentinels("default", **which)

    async def open(self) -> list[str]:
        return sorted(each.kind for each in await self.listed(is_open=True))

    def events(self) -> list[str]:
        return [f"{event.kind.removeprefix('sentinel.')} {event.data['kind']}" for event in self.told]
