"""An agent as the store knows it: an id, some workers, and the runs that it believes to hold."""

from __future__ import annotations

from pathlib import Path

from agent.core.records import ClaimedRun, Fence
from agent.store import SqlStore, open_store
from shared.clock import ManualClock
from shared.ids import new_id
from shared.models import Event

WORKERS = 3


class Agent:
    """It opens the store's file for itself, as a process of its own would."""

    def __init__(self, name: str, path: Path, clock: ManualClock) -> None:
        self._name = name
        self._path = path
        self._clock = clock
        self._starts = 0
        self.store: SqlStore
        self.holds: dict[str, Fence] = {}
        self.heard: list[Event] = []

    @property
    def id(self) -> str:
        return f"{self._name}{self._starts}"

    async def start(self) -> None:
        """Under a new id, as each start of an agent has one; what it held before it has forgotten."""
        self._starts += 1
        self.holds, self.heard = {}, []
        self.store = await open_store(self._path, clock=self._clock, new_id=new_id)
        self.store.subscribe(self.heard.extend)

    async def stop(self) -> None:
        await self.store.close()

    def idle(self, most: int) -> list[str]:
        workers = [f"{self.id}-w{number}" for number in range(WORKERS)]
        return [worker for worker in workers if worker not in self.holds][:most]

    def places_ahead(self, most: int) -> list[str]:
        return [f"{self.id}-w{number % WORKERS}" for number in range(most)]

    def took(self, claimed: list[ClaimedRun]) -> list[Fence]:
        fences = [Fence(each.run.id, each.run.attempt, each.run.worker_id or "") for each in claimed]
        direct = [fence for fence, each in zip(fences, claimed, strict=True) if not each.promised]
        self.holds.update({fence.worker_id: fence for fence in direct})
        return fences

    def is_rid_of(self, fences: list[Fence]) -> None:
        self.holds = {worker: fence for worker, fence in self.holds.items() if fence not in fences}
