"""Giving a job to another user. Every act begins with who asks."""

from __future__ import annotations

from agent.core.definitions.checking import Checking
from agent.core.identity.records import Standing
from agent.core.jobs.jobs import require_editable
from agent.core.permissions.access import Access
from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.rules import Act
from agent.core.ports import Store
from shared.clock import Clock
from shared.errors import Forbidden, InvalidInput
from shared.models import Job

_FIELD = "ownerId"


class Giving:
    def __init__(self, store: Store, checking: Checking, clock: Clock) -> None:
        self._store = store
        self._access = Access(store)
        self._checking = checking
        self._clock = clock

    async def give(self, caller: Caller, key: str, owner: str) -> Job:
        """To a user by id or handle: by an administrator, or by the job's owner to one who may see it. Its revision,
        its shares and everybody's drafts stay; runs that are made from now on act as the new owner, who must be allowed
        to use what it names, as the caller must.

        NotFound, Forbidden; Conflict for what the definitions folder defines; InvalidInput on `ownerId`, or by the
        fields that name what may not be used."""
        job = await self._access.job(caller, key, Act.SHARE)
        if not caller.is_admin and job.owner_id != caller.user_id:
            raise Forbidden(f"to give the job {key!r} away is its owner's to do, and its administrators'")
        require_editable(job)
        receiver = await self._receiver(caller, job, owner)
        definition = await self._store.definition(job.id, job.revision)
        if self._checking.runs_programs(definition):
            caller.require(Scope.CODE)
        faults = await self._checking.withheld(caller, definition, receiver.user_id, f"'{receiver.handle}'")
        if faults:
            raise InvalidInput(faults)
        return await self._store.set_job_owner(job.id, receiver.user_id, self._clock.now())

    async def _receiver(self, caller: Caller, job: Job, key: str) -> Standing:
        user = await self._store.find_user(key)
        standing = await self._store.find_standing(user.id, caller.account_id) if user is not None else None
        if standing is None:
            raise InvalidInput.one(_FIELD, "is no user of this account; name a user by id or handle", key)
        if standing.disabled:
            raise InvalidInput.one(_FIELD, "is disabled; name a user who may call", key)
        if not caller.is_admin and not await self._sees(standing, job):
            raise InvalidInput.one(_FIELD, "may not see the job; share it with that user first", key)
        return standing

    async def _sees(self, user: Standing, job: Job) -> bool:
        if Scope.ADMIN in user.scopes:
            return True
        standing = await self._store.standing(job.account_id, "job", job.id, user.user_id)
        return standing is not None and standing.level_of(user.user_id) is not None
