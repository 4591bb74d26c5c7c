"""Claims runs that are due and hands each to an idle worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from agent.core.checking import needs_of
from agent.core.granting import Granting
from agent.core.ports import Drivers, Executor, Store
from agent.core.records import ClaimedRun, Fence, Outcome
from agent.core.wire import Order
from agent.services.poller import Poller
from agent.settings import Settings
from shared.clock import Clock
from shared.errors import Fault, InvalidInput, JobdeckError
from shared.models import Event, RunError

_LONGEST_REST = 15.0
_WAKING = ("run.created", "run.changed", "job.deleted")
Watch = Callable[[ClaimedRun, frozenset[str]], None]
"""(run, its credentials): from now on the events of this attempt are expected."""


class Dispatcher(Poller):
    def __init__(
        self,
        store: Store,
        clock: Clock,
        executor: Executor,
        drivers: Drivers,
        granting: Granting,
        watch: Watch,
        settings: Settings,
        agent_id: str,
    ) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._executor = executor
        self._drivers = drivers
        self._granting = granting
        self._watch = watch
        self._settings = settings
        self._agent_id = agent_id

    def hear(self, events: Sequence[Event]) -> None:
        if any(event.kind in _WAKING for event in events):
            self.wake()

    async def poll(self) -> float:
        idle = self._executor.idle_workers()
        if not idle:
            return _LONGEST_REST
        now = self._clock.now()
        claimed = await self._store.claim(idle, self._agent_id, now + self._settings.lease, now)
        for run in claimed:
            await self._hand_over(run)
        if claimed:
            return 0.0
        upcoming = await self._store.next_available(now)
        if upcoming is None:
            return _LONGEST_REST
        return min(max((upcoming - self._clock.now()).total_seconds(), 0.001), _LONGEST_REST)

    async def _hand_over(self, claimed: ClaimedRun) -> None:
        worker_id = claimed.run.worker_id
        assert worker_id is not None
        try:
            order, mask = await self._order(claimed)
        except JobdeckError as error:
            await self._refuse(claimed, worker_id, error)
            return
        self._watch(claimed, mask)
        self._executor.execute(worker_id, order)

    async def _order(self, claimed: ClaimedRun) -> tuple[Order, frozenset[str]]:
        run, data = claimed.run, claimed.definition.data
        manifest = self._drivers.get(run.type)
        grants, faults = await self._granting.grant(run.account_id, needs_of(manifest, data))
        if faults:
            raise InvalidInput([Fault("data", fault.message, fault.value) for fault in faults])
        timeout = claimed.policies.timeout
        order = Order(
            run_id=run.id,
            attempt=run.attempt,
            job_id=run.job_id,
            job_name=run.job_name,
            account_id=run.account_id,
            owner_id=run.owner_id,
            type=run.type,
            entry=manifest.entry,
            data=data,
            checkpoint=claimed.checkpoint,
            timeout=timeout.total_seconds() if timeout else None,
            kill_grace=claimed.policies.kill_grace.total_seconds(),
            scratch=str(Path(self._settings.data_dir, "scratch", run.id)),
            connections=grants.connections,
            knowledge_bases=grants.knowledge_bases,
            secrets=grants.secrets,
            allow_private_addresses=self._settings.allow_private_addresses,
        )
        return order, frozenset(grants.mask)

    async def _refuse(self, claimed: ClaimedRun, worker_id: str, error: JobdeckError) -> None:
        """What the job names is not there any more: the run fails with the reason, and the worker stays idle."""
        now = self._clock.now()
        fence = Fence(claimed.run.id, claimed.run.attempt, worker_id)
        cause = RunError(kind="not_startable", message=error.message, fingerprint=f"not_startable:{error.code}")
        await self._store.finish([Outcome(fence, "failed", now, error=cause)], now)
