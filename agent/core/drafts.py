"""Drafts: an edit that nobody else sees until it is published. Every act begins with who asks."""

from __future__ import annotations

from agent.core.callers import Caller, Scope
from agent.core.jobs import Jobs
from agent.core.parts import with_ids
from agent.core.ports import DraftStore
from agent.core.records import NewDraft
from shared.clock import Clock
from shared.errors import NotFound
from shared.ids import NewId, is_id
from shared.models import Draft, DraftInput, JobInput


class Drafts:
    def __init__(self, store: DraftStore, jobs: Jobs, clock: Clock, new_id: NewId) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._new_id = new_id

    async def edit(self, caller: Caller, key: str) -> tuple[Draft, bool]:
        """The caller's draft of the job, and whether it was made now: as the job is, then."""
        caller.require(Scope.EDIT)
        job = await self._jobs.get(caller, key)
        definition = await self._jobs.definition(job)
        draft = NewDraft(
            id=self._new_id(),
            account_id=caller.account_id,
            owner_id=caller.user_id,
            definition=DraftInput.model_validate(definition.model_dump()),
            editing_id=job.id,
            based_on=job.revision,
        )
        return await self._store.open_draft(draft, self._clock.now())

    async def start(self, caller: Caller, definition: DraftInput) -> Draft:
        """A draft of a job that does not exist yet."""
        caller.require(Scope.EDIT)
        identified = with_ids(definition, self._new_id)
        draft = NewDraft(self._new_id(), caller.account_id, caller.user_id, identified)
        return (await self._store.open_draft(draft, self._clock.now()))[0]

    async def find(self, caller: Caller, key: str) -> Draft | None:
        """The caller's own draft with this id; None: it is the key of something else."""
        caller.require(Scope.READ)
        if not is_id(key):
            return None
        try:
            return await self._store.get_draft(caller.account_id, caller.user_id, key)
        except NotFound:
            return None

    async def put(self, caller: Caller, draft: Draft, definition: JobInput, expected_version: int | None) -> Draft:
        """What it says need not hold yet. StaleVersion."""
        caller.require(Scope.EDIT)
        given = with_ids(DraftInput.model_validate(definition.model_dump()), self._new_id, draft.definition)
        return await self._store.put_draft(draft.id, given, expected_version, self._clock.now())
