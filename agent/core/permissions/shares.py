"""Saying who else may do what. Every act begins with who asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.core.permissions.access import Access
from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.rules import Act, ResourceKind, job_permissions
from agent.core.ports import Drivers, Store
from agent.core.records import NewShare
from shared.clock import Clock
from shared.models import Job
from shared.models.share import JobPermissions, Share, ShareInput, Visibility


@dataclass(frozen=True, slots=True)
class Standings:
    """Of one job, for a list of jobs."""

    sharing: list[Share]
    permissions: JobPermissions


class Shares:
    def __init__(self, store: Store, drivers: Drivers, clock: Clock) -> None:
        self._store = store
        self._access = Access(store)
        self._drivers = drivers
        self._clock = clock

    async def list(self, caller: Caller, kind: ResourceKind, key: str) -> list[Share]:
        """Whoever may read it may know who else does. NotFound."""
        subject = await self._access.subject(caller, kind, key, Act.READ)
        return (await self._store.shares_of(caller.account_id, kind, [subject])).get(subject, [])

    async def put(self, caller: Caller, kind: ResourceKind, key: str, given: ShareInput) -> tuple[Share, bool]:
        """The share, and whether it is new; one that was there gets the new level. NotFound, Forbidden; InvalidInput
        for a principal that is no user of the account."""
        subject = await self._access.subject(caller, kind, key, Act.SHARE)
        new = NewShare(caller.account_id, kind, subject, given.principal_id, given.access_level, caller.handle)
        return await self._store.put_share(new, self._clock.now())

    async def remove(self, caller: Caller, kind: ResourceKind, key: str, principal: str) -> None:
        """NotFound, also if it is not shared with that principal; Forbidden."""
        subject = await self._access.subject(caller, kind, key, Act.SHARE)
        await self._store.remove_share(caller.account_id, kind, subject, principal, self._clock.now())

    async def set_visibility(self, caller: Caller, kind: ResourceKind, key: str, visibility: Visibility) -> None:
        """`account`: all of the account may see and use it; `private`: its owner and whom it is shared with. What
        nobody owns becomes the caller's."""
        subject = await self._access.subject(caller, kind, key, Act.SHARE)
        now = self._clock.now()
        await self._store.set_visibility(caller.account_id, kind, subject, visibility, caller.user_id, now)

    async def set_owner(self, caller: Caller, kind: ResourceKind, key: str, owner: str) -> None:
        """An administrator's to do: what the owner may use, runs use through it. NotFound, Forbidden; InvalidInput for
        nobody of the account."""
        caller.require(Scope.ADMIN)
        subject = await self._access.subject(caller, kind, key, Act.SHARE)
        await self._store.set_owner(caller.account_id, kind, subject, owner, self._clock.now())

    async def of_jobs(self, caller: Caller, jobs: Sequence[Job]) -> Callable[[Job], Standings]:
        """What each of these jobs, which the caller may read, is to the caller and to others."""
        sharing = await self._store.shares_of(caller.account_id, "job", [job.id for job in jobs])
        standing = await self._access.of_jobs(caller, jobs)
        return lambda job: Standings(
            sharing.get(job.id, []), job_permissions(caller, standing[job.id], self._drivers.find(job.type))
        )
