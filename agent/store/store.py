"""The store as the core sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

from agent.core.trouble import StoreTrouble
from agent.store import facts
from agent.store.engine.place import Place
from agent.store.engine.proof import Proof
from agent.store.engine.readers import Readers
from agent.store.engine.writer import Listener, Writer
from agent.store.verbs.audit import AuditVerbs
from agent.store.verbs.backlog import BacklogVerbs
from agent.store.verbs.datasets import DatasetVerbs
from agent.store.verbs.drafts import DraftVerbs
from agent.store.verbs.events import EventVerbs
from agent.store.verbs.fires import FireVerbs
from agent.store.verbs.history import HistoryVerbs
from agent.store.verbs.identity import IdentityVerbs
from agent.store.verbs.jobs import JobVerbs
from agent.store.verbs.limits import LimitVerbs
from agent.store.verbs.listing import ListingVerbs
from agent.store.verbs.look import looking
from agent.store.verbs.pruning import PruningVerbs
from agent.store.verbs.runs import RunVerbs
from agent.store.verbs.secrets import SecretVerbs
from agent.store.verbs.sentinels import SentinelVerbs
from agent.store.verbs.shares import ShareVerbs
from agent.store.verbs.syncs import SyncVerbs
from agent.store.verbs.world import WorldVerbs
from shared.clock import Clock


class SqlStore(
    JobVerbs,
    DraftVerbs,
    FireVerbs,
    BacklogVerbs,
    RunVerbs,
    HistoryVerbs,
    ListingVerbs,
    SyncVerbs,
    SentinelVerbs,
    IdentityVerbs,
    LimitVerbs,
    WorldVerbs,
    SecretVerbs,
    DatasetVerbs,
    ShareVerbs,
    AuditVerbs,
    EventVerbs,
    PruningVerbs,
):
    """Implements `agent.core.ports.Store`. Make one with `open_store`."""

    def __init__(self, writer: Writer, readers: Readers, clock: Clock, place: Place) -> None:
        super().__init__(writer, readers, clock)
        self._place = place
        self._proof = Proof(writer.health, clock, self._touch)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        return self._writer.subscribe(listener)

    def looking(self) -> AbstractContextManager[None]:
        return looking()

    def ride(self, rider: Callable[[], None]) -> None:
        self._writer.ride(rider)

    @property
    def trouble(self) -> StoreTrouble | None:
        return self._writer.health.trouble

    async def stir(self) -> None:
        await self._writer.stir()

    async def ping(self) -> None:
        await self._proof.ask()
        await self._read(facts.get, "pinged_at")
        await self._readers.ask(lambda _connection: self._place.check())

    def _touch(self) -> asyncio.Future[None]:
        now = self._clock.now().isoformat()
        return self._writer.submit(lambda connection: facts.put(connection, "pinged_at", now))

    async def close(self) -> None:
        await self._writer.close()
        await self._readers.close()
