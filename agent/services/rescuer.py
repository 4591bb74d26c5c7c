"""Finds runs whose worker or agent is gone, proves their processes dead, and moves them on."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import structlog

from agent.core.actions.planning import is_repeat_safe
from agent.core.ports import Drivers, Executor, Store
from agent.core.records import ClaimedRun, Fence
from agent.core.running.retrying import decide_outcome
from agent.core.scheduling.firing import window_end_of
from agent.services.poller import Poller
from shared.clock import Clock

_log = structlog.get_logger()
_LOOK_EVERY = 10.0
"""Seconds; a lease of less than three times that is looked at three times while it lasts."""


class Rescuer(Poller):
    def __init__(
        self,
        store: Store,
        clock: Clock,
        executor: Executor,
        drivers: Drivers,
        rng: random.Random,
        agent_id: str,
        is_watched: Callable[[str], bool],
        lease: timedelta,
    ) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._executor = executor
        self._drivers = drivers
        self._rng = rng
        self._agent_id = agent_id
        self._is_watched = is_watched
        self._look_every = min(_LOOK_EVERY, lease.total_seconds() / 3)

    async def rescue_predecessors(self) -> int:
        """At start-up: the runs of the agent before this one, none of which can still be under way once their
        processes are swept, and its workers without a run, which are left if they were stopped when it died. Returns
        how many runs."""
        orphans = await self._store.leases_of_other_agents(self._agent_id)
        await self._executor.sweep([claimed.run.id for claimed in orphans])
        await self._move_on(orphans)
        return len(orphans)

    async def poll(self) -> float:
        """A lease that ran out by the wall clock alone is no loss: what is watched here is alive."""
        expired = await self._store.expired_leases(self._clock.now())
        await self._rescue([claimed for claimed in expired if not self._is_watched(claimed.run.id)])
        return self._look_every

    async def _rescue(self, lost: list[ClaimedRun]) -> None:
        if not lost:
            return
        await self._executor.sweep([claimed.run.id for claimed in lost])
        await self._move_on(lost)

    async def _move_on(self, lost: list[ClaimedRun]) -> None:
        now = self._clock.now()
        outcomes = [
            decide_outcome(
                claimed,
                Fence(claimed.run.id, claimed.run.attempt, claimed.run.worker_id or ""),
                None,
                repeat_safe=is_repeat_safe(self._drivers, claimed.definition, claimed.checkpoint),
                window_end=window_end_of(claimed),
                now=now,
                rng=self._rng,
            )
            for claimed in lost
        ]
        for outcome in outcomes:
            _log.warning("run_rescued", run_id=outcome.fence.run_id, becomes=outcome.state)
        if outcomes:
            await self._store.finish(outcomes, now)
