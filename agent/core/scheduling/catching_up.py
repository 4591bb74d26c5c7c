"""What an operator says about missed fires: seen, released, discarded."""

from __future__ import annotations

import structlog

from agent.core.permissions.access import Access
from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.rules import RULES, Act, seen_by
from agent.core.ports import Store
from agent.core.records import Held
from agent.settings import Settings
from shared.clock import Clock
from shared.models import Backlog, HeldChoice, HeldDecision, ReleaseChoice

_log = structlog.get_logger()


class CatchingUp:
    def __init__(self, store: Store, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._access = Access(store)
        self._clock = clock
        self._settings = settings

    async def standing(self, caller: Caller) -> Backlog:
        """What waits, by job, the oldest first."""
        caller.require(Scope.READ)
        items = await self._store.backlog(caller.account_id, seen_by=seen_by(caller))
        return Backlog(
            waiting=sum(item.waiting for item in items),
            released=sum(item.released for item in items),
            threshold=self._settings.catch_up_threshold,
            rate=self._settings.catch_up_rate,
            items=items,
        )

    async def release(self, caller: Caller, choice: ReleaseChoice) -> HeldDecision:
        """They start under the rate, one after the other of each job, as its current revision says, however long they
        have waited: the catch-up window binds the agent, not who decides."""
        caller.require(Scope.RUN)
        which = await self._which(caller, choice)
        latest_only = choice.take == "latest"
        done = await self._store.release(which, caller.handle, self._clock.now(), latest_only=latest_only)
        _log.info("catch_up_released", by=caller.handle, account=caller.account_id, **done.model_dump())
        return done

    async def discard(self, caller: Caller, choice: HeldChoice) -> HeldDecision:
        """They are not run; those that were released and have not started are stopped as well."""
        caller.require(Scope.RUN)
        done = await self._store.discard(await self._which(caller, choice), caller.handle, self._clock.now())
        _log.info("catch_up_discarded", by=caller.handle, account=caller.account_id, count=done.discarded)
        return done

    async def _which(self, caller: Caller, choice: HeldChoice) -> Held:
        """Of no job in particular: of all that the caller may run. NotFound names the first job that is not there,
        Forbidden the first that is not the caller's to run; then nothing is decided."""
        ids = None
        if choice.jobs is not None:
            ids = tuple([(await self._access.job(caller, key, Act.RUN)).id for key in choice.jobs])
        elif not caller.is_admin:
            ids = tuple(await self._runnable(caller))
        return Held(caller.account_id, ids, choice.since, choice.until)

    async def _runnable(self, caller: Caller) -> list[str]:
        mine = await self._store.seen_jobs(caller.account_id, caller.user_id, RULES[Act.RUN].level)
        waiting = await self._store.backlog(caller.account_id, seen_by=seen_by(caller))
        return [item.job_id for item in waiting if item.job_id in mine]
