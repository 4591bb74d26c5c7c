"""Drafts: an edit that nobody else sees until it is published. Every act begins with who asks."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.definitions.comparing import Side, changes, merge
from agent.core.definitions.parts import with_ids
from agent.core.definitions.revisions import Comparison, compared
from agent.core.jobs.jobs import JobCheck, Jobs
from agent.core.permissions.callers import Caller, Scope
from agent.core.ports import DraftStore
from agent.core.records import DraftMark, NewDraft
from shared.clock import Clock
from shared.errors import Conflict, Drifted, Fault, InvalidInput, NotFound, StaleVersion
from shared.ids import NewId, is_id
from shared.models import Draft, DraftInput, Job, JobInput
from shared.models.applying import Difference

_TRIES = 5


class Drafts:
    """`key` is a draft's id, or names the job that the caller has a draft of."""

    def __init__(self, store: DraftStore, jobs: Jobs, clock: Clock, new_id: NewId) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._new_id = new_id

    # -- reading -------------------------------------------------------------------------------------------------------

    async def list(self, caller: Caller) -> list[Draft]:
        """The caller's own; the one that was changed last comes first."""
        caller.require(Scope.READ)
        return await self._store.list_drafts(caller.account_id, caller.user_id)

    async def find(self, caller: Caller, key: str) -> Draft | None:
        """The caller's own draft with this id; None: it is the key of something else."""
        caller.require(Scope.READ)
        if not is_id(key):
            return None
        try:
            return await self._store.get_draft(caller.account_id, caller.user_id, key)
        except NotFound:
            return None

    async def get(self, caller: Caller, key: str) -> Draft:
        draft = await self.find(caller, key)
        if draft is not None:
            return draft
        job = await self._jobs.get(caller, key)
        try:
            return await self._store.draft_of(caller.user_id, job.id)
        except NotFound:
            raise NotFound(f"you have no draft of the job '{job.slug}'") from None

    async def compare(self, caller: Caller, key: str) -> Comparison:
        """The draft beside the job as it is now; of a job that is not yet, beside an empty definition."""
        draft = await self.get(caller, key)
        now = self._clock.now()
        if draft.editing_id is None:
            return compared(DraftInput(enabled=False), draft.definition, now, now)
        job = await self._edited(caller, draft)
        return compared(await self._jobs.definition(job), draft.definition, job.created_at, now)

    async def check(self, caller: Caller, key: str) -> JobCheck:
        """What publishing it would say."""
        draft = await self.get(caller, key)
        job = await self._edited(caller, draft) if draft.editing_id is not None else None
        return await self._jobs.check(caller, draft.definition, job)

    # -- changing ------------------------------------------------------------------------------------------------------

    async def edit(self, caller: Caller, key: str) -> tuple[Draft, bool]:
        """The caller's draft of the job, and whether it was made now: as the job is, then."""
        caller.require(Scope.EDIT)
        job = await self._jobs.get_to_edit(caller, key)
        definition = await self._jobs.definition(job)
        draft = NewDraft(
            id=self._new_id(),
            account_id=caller.account_id,
            owner_id=caller.user_id,
            definition=_unfinished(definition),
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

    async def put(self, caller: Caller, draft: Draft, definition: JobInput, expected_version: int | None) -> Draft:
        """What it says need not hold yet; a slug that is not given stays, as a job's does. StaleVersion."""
        caller.require(Scope.EDIT)
        given = _unfinished(definition).model_copy(update={"slug": definition.slug or draft.slug})
        given = with_ids(given, self._new_id, draft.definition)
        return await self._store.put_draft(draft.id, given, expected_version, self._clock.now())

    async def discard(self, caller: Caller, key: str, expected_version: int | None) -> None:
        caller.require(Scope.EDIT)
        draft = await self.get(caller, key)
        await self._store.delete_draft(draft.id, expected_version, self._clock.now())

    async def rebase(self, caller: Caller, key: str, prefer: Side | None = None) -> Draft:
        """Take into the draft what others published since it was made. Drifted where both changed a field, each to
        something else, unless `prefer` says whose it becomes; then nothing has changed."""
        caller.require(Scope.EDIT)
        draft = await self.get(caller, key)
        job = await self._edited(caller, draft)
        base, theirs = await self._jobs.definition(job, draft.based_on), await self._jobs.definition(job)
        merged, conflicts = merge(base, draft.definition, theirs, prefer=prefer)
        if conflicts and prefer is None:
            fields = ", ".join(conflicts)
            message = f"the draft and revision {job.revision} of '{job.slug}' both change {fields}; say which to prefer"
            raise Drifted(message, [Fault(field, "was changed by both") for field in conflicts])
        definition = DraftInput.model_validate(merged)
        return await self._store.put_draft(
            draft.id, definition, draft.version, self._clock.now(), based_on=job.revision
        )

    async def commit(self, caller: Caller, key: str) -> Job:
        """Publish it, in one transaction with its end. InvalidInput names every fault; Drifted the fields in which the
        job has changed since: then nothing has been published."""
        caller.require(Scope.EDIT)
        for _ in range(_TRIES - 1):
            draft = await self.get(caller, key)
            try:
                return await self._publish(caller, draft)
            except StaleVersion:  # paused, resumed or drafted on in between: look again
                key = draft.id
        return await self._publish(caller, await self.get(caller, key))

    async def _publish(self, caller: Caller, draft: Draft) -> Job:
        mark = DraftMark(draft.id, draft.version)
        if draft.editing_id is None:
            return await self._jobs.create(caller, await self._finished(caller, draft), draft=mark)
        job = await self._edited(caller, draft)
        if job.revision != draft.based_on:
            base, current = await self._jobs.definition(job, draft.based_on), await self._jobs.definition(job)
            raise _drifted(job, draft, changes(base, current))
        definition = await self._finished(caller, draft, job)
        return await self._jobs.replace(caller, job.id, definition, job.version, draft=mark)

    async def _finished(self, caller: Caller, draft: Draft, job: Job | None = None) -> JobInput:
        faults = await self._jobs.faults(caller, draft.definition, job)
        if faults:
            raise InvalidInput(faults)
        return finished(draft.definition)

    async def _edited(self, caller: Caller, draft: Draft) -> Job:
        if draft.editing_id is None:
            raise Conflict("this draft is of a job that does not exist yet; there is nothing that it could differ from")
        try:
            return await self._jobs.get(caller, draft.editing_id)
        except NotFound:
            raise Conflict("the job that this draft edits is gone; start another with what it says") from None


def finished(definition: DraftInput) -> JobInput:
    """As what can be published. InvalidInput where it has no name or no type."""
    absent = [name for name in ("name", "type") if not getattr(definition, name)]
    if absent:
        raise InvalidInput([Fault(name, "is required") for name in absent])
    return JobInput.model_validate(definition.model_dump())


def _unfinished(definition: JobInput) -> DraftInput:
    return DraftInput.model_validate(definition.model_dump())


def _drifted(job: Job, draft: Draft, fields: Sequence[Difference]) -> Drifted:
    message = (
        f"the job '{job.slug}' is at revision {job.revision}; the draft was made from revision {draft.based_on}. "
        f"Nothing was published; rebase the draft, or discard it. What differs: {', '.join(each.field for each in fields)}"
    )
    faults = [Fault(each.field, f"was {_short(each.before)}, is {_short(each.after)}", each.after) for each in fields]
    return Drifted(message, faults)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
