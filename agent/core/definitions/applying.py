"""Jobs as code: definitions that are to be, compared with the jobs that are, and carried out.

A definition is known by its slug: written, or made from its name. Everything is checked before anything is changed, and what
is then changed is changed in one transaction: all of it, or, where somebody else has changed something meanwhile, none.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from agent.core.definitions.parts import with_ids
from agent.core.jobs.jobs import Jobs, slug_of
from agent.core.permissions.audit import Audit
from agent.core.permissions.callers import Caller, Scope
from agent.core.ports import Store
from agent.core.records import Publication
from agent.core.scheduling.firing import schedule_of
from shared.clock import Clock
from shared.definitions import differences
from shared.errors import Conflict, Fault, Forbidden, InvalidInput, NotFound
from shared.faults import faults_in
from shared.ids import NewId
from shared.models import Job, JobInput
from shared.models.applying import Act, Change, Changes, DefinitionFault, GivenDefinition

_WRITES = ("create", "replace")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A definition on its way: what it was written as, what it reads as, and the job that it is to become."""

    given: GivenDefinition
    slug: str = ""
    definition: JobInput | None = None
    job: Job | None = None
    change: Change | None = None


class Applying:
    def __init__(self, store: Store, jobs: Jobs, audit: Audit, clock: Clock, new_id: NewId) -> None:
        self._store = store
        self._audit = audit
        self._jobs = jobs
        self._clock = clock
        self._new_id = new_id

    async def plan(self, caller: Caller, given: Sequence[GivenDefinition], *, folder: bool = False) -> Changes:
        """What `apply` would do. `folder`: for the definitions folder, whose jobs nobody else changes."""
        caller.require(Scope.EDIT)
        return Changes(items=[_change(wanted) for wanted in await self._compare(caller, given, folder=folder)])

    async def apply(self, caller: Caller, given: Sequence[GivenDefinition], *, folder: bool = False) -> Changes:
        """Create and replace jobs as defined. With a refusal among the changes, nothing was changed; nor with a Conflict,
        where jobs are others by then than those that the definitions were compared with."""
        caller.require(Scope.EDIT)
        compared = await self._compare(caller, given, folder=folder)
        planned = Changes(items=[_change(wanted) for wanted in compared])
        if planned.refused:
            return planned
        return Changes(items=await self._carry_out(caller, compared, folder=folder))

    async def _compare(self, caller: Caller, given: Sequence[GivenDefinition], *, folder: bool) -> list[_Wanted]:
        wanted = [_read(each) for each in given]
        slugs = Counter(each.slug for each in wanted if each.change is None)
        names = Counter(each.definition.name for each in wanted if each.definition is not None)
        single = [_refuse_twice(each, slugs, names) for each in wanted]
        with self._store.looking():
            keys = [key for each in single if each.definition is not None for key in (each.slug, each.definition.name)]
            await self._store.foresee_jobs(caller.account_id, keys, caller.user_id)
            placed = [await self._place(caller, each, folder=folder) for each in single]
        return await self._within_limit(caller, placed)

    async def _within_limit(self, caller: Caller, placed: Sequence[_Wanted]) -> list[_Wanted]:
        """One after the other, as they will be carried out: an earlier one may free the place that a later one takes."""
        most = (await self._store.account_limits(caller.account_id)).active_jobs
        if most is None:
            return list(placed)
        now, done = self._clock.now(), list[_Wanted]()
        used = (await self._store.account_allowance(caller.account_id, now)).use.active_jobs
        for wanted in placed:
            before, after = _takes_place(wanted.job, wanted.job, now), _takes_place(wanted.definition, wanted.job, now)
            takes = after - before if _change(wanted).act in _WRITES else 0
            if takes > 0 and used >= most:
                done.append(_refuse(wanted, Fault("enabled", _no_room(caller.account_id, most), True, "limit")))
            else:
                used += takes
                done.append(wanted)
        return done

    async def _place(self, caller: Caller, wanted: _Wanted, *, folder: bool) -> _Wanted:
        """Beside the job that it changes, with the change. What is refused already stays so."""
        if wanted.change is not None:
            return wanted
        assert wanted.definition is not None
        await asyncio.sleep(0)  # with all answers at hand nothing else would get its turn
        job = await self._job_of(caller, wanted.slug)
        definition = wanted.definition
        wanted = replace(wanted, job=job)
        if job is not None and job.defined_in and not folder:
            return _refuse(wanted, Fault("slug", _read_only(job), wanted.slug, "read_only"))
        if fault := await self._name_taken(caller, wanted):
            return _refuse(wanted, fault)
        if job is None:
            return await self._checked(caller, wanted, "create", {}, folder=folder)
        before = await self._jobs.before(job)
        definition = with_ids(definition.model_copy(update={"slug": job.slug}), self._new_id, before)
        wanted = replace(wanted, definition=definition)
        if before is not None and _plain(definition) == _plain(before.model_copy(update={"slug": job.slug})):
            return replace(wanted, change=_as_change(wanted, "unchanged"))
        return await self._checked(caller, wanted, "replace", _plain(before) if before else {}, folder=folder)

    async def _checked(
        self, caller: Caller, wanted: _Wanted, act: Act, before: dict[str, Any], *, folder: bool
    ) -> _Wanted:
        assert wanted.definition is not None
        try:
            check = await self._jobs.check(caller, wanted.definition, wanted.job, from_folder=folder)
        except (Forbidden, Conflict) as error:
            await self._audit.answered(error)
            return _refuse(wanted, Fault("type", error.message, wanted.definition.type, error.code))
        if check.faults:
            return _refuse(wanted, *(Fault(each["field"], each["message"], each["value"]) for each in check.faults))
        change = _as_change(wanted, act)
        change.differences = differences(
            before, _written(wanted.definition) if act == "create" else _plain(wanted.definition)
        )
        change.schedule_text, change.next_fires = check.schedule_text, check.next_fires
        return replace(wanted, change=change)

    async def _name_taken(self, caller: Caller, wanted: _Wanted) -> Fault | None:
        assert wanted.definition is not None
        name = wanted.definition.name
        if wanted.job is not None and wanted.job.name == name:
            return None
        try:
            other = await self._store.get_job(caller.account_id, name)
        except NotFound:
            return None
        if other.name != name or (wanted.job is not None and other.id == wanted.job.id):
            return None
        message = f"the job '{other.slug}' has this name already; give the definition its slug, or another name"
        return Fault("name", message, name, "taken")

    async def _job_of(self, caller: Caller, slug: str) -> Job | None:
        try:
            job = await self._jobs.get(caller, slug)
        except NotFound:
            return None
        return job if job.slug == slug else None

    async def _carry_out(self, caller: Caller, compared: Sequence[_Wanted], *, folder: bool) -> list[Change]:
        now = self._clock.now()
        given = [await self._publication(caller, wanted, now, folder=folder) for wanted in compared]
        published = iter(await self._publish([each for each in given if not _stays(each)], now))
        changes = [_change(wanted) for wanted in compared]
        for change, each in zip(changes, given, strict=True):
            job = each.what if isinstance(each.what, Job) and _stays(each) else next(published)
            change.job_id, change.revision = job.id, job.revision
        return changes

    async def _publish(self, given: Sequence[Publication], now: datetime) -> list[Job]:
        return await self._store.publish_jobs(given, now) if given else []

    async def _publication(self, caller: Caller, wanted: _Wanted, now: datetime, *, folder: bool) -> Publication:
        definition, job, act = wanted.definition, wanted.job, _change(wanted).act
        assert definition is not None
        await asyncio.sleep(0)  # as above
        source = wanted.given.source if folder else None
        if act == "create":
            new = self._jobs.as_new(caller, definition.model_copy(update={"slug": wanted.slug}), now)
            return Publication(new, defined_in=source)
        assert job is not None
        if act == "replace":
            change = await self._jobs.as_change(caller, job, definition, now)
            return Publication(change, job.version, source)
        return Publication(job, defined_in=source)


def _stays(given: Publication) -> bool:
    return isinstance(given.what, Job) and given.defined_in in (None, given.what.defined_in)


def _read(given: GivenDefinition) -> _Wanted:
    try:
        definition = JobInput.model_validate(given.definition)
    except ValidationError as error:
        faults = faults_in(error, JobInput, unknown="is not a field of a definition")
        slug = given.definition.get("slug")
        return _refuse(_Wanted(given, slug if isinstance(slug, str) else ""), *faults)
    return _Wanted(given, definition.slug or slug_of(definition.name), definition)


def _refuse_twice(wanted: _Wanted, slugs: Mapping[str, int], names: Mapping[str, int]) -> _Wanted:
    if wanted.definition is None:
        return wanted
    if slugs[wanted.slug] > 1:
        return _refuse(wanted, _twice("slug", wanted.slug))
    return _refuse(wanted, _twice("name", wanted.definition.name)) if names[wanted.definition.name] > 1 else wanted


def _twice(field: str, value: str) -> Fault:
    return Fault(field, "stands twice in what is applied together; a definition is known by its slug", value, "twice")


def _read_only(job: Job) -> str:
    return f"the job is defined in {job.defined_in} of the definitions folder; change it there"


def _refuse(wanted: _Wanted, *faults: Fault) -> _Wanted:
    change = _as_change(wanted, "refused")
    change.faults = [DefinitionFault(field=each.field, message=each.message, value=each.value) for each in faults]
    return replace(wanted, change=change)


def _as_change(wanted: _Wanted, act: Act) -> Change:
    job_id = wanted.job.id if wanted.job else None
    return Change(source=wanted.given.source, place=wanted.given.place, slug=wanted.slug, act=act, job_id=job_id)


def _change(wanted: _Wanted) -> Change:
    assert wanted.change is not None
    return wanted.change


def _plain(definition: JobInput) -> dict[str, Any]:
    return definition.model_dump(mode="json", by_alias=True)


def _takes_place(definition: Job | JobInput | None, job: Job | None, now: datetime) -> bool:
    """Whether it counts as an active job: enabled, and its window has not passed."""
    if definition is None or not definition.enabled:
        return False
    with suppress(InvalidInput):
        end = schedule_of(definition, job.created_at if job else now).window_end
        return end is None or end >= now
    return True


def _no_room(account_id: str, most: int) -> str:
    return (
        f"the account '{account_id}' may have {most} active jobs, and has as many with what is defined before this one:"
        " free a place, or have the limit raised"
    )


def _written(definition: JobInput) -> dict[str, Any]:
    """Without what nobody wrote: of a new job only that is of interest."""
    return definition.model_dump(mode="json", by_alias=True, exclude_unset=True)
