"""Publishing jobs and what is asked of them. Every act begins with who asks."""

from __future__ import annotations

import builtins
import re
import unicodedata
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from agent.core.definitions.checking import Checking
from agent.core.definitions.parts import with_ids
from agent.core.jobs.explaining import Explanation, explain
from agent.core.permissions.access import Access
from agent.core.permissions.audit import Audit
from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.rules import Act, require_code, seen_by
from agent.core.ports import Drivers, Store
from agent.core.records import DraftMark, JobChange, NewJob, NewRun, ScheduleMarks
from agent.core.scheduling.brake import Brake
from agent.core.scheduling.fire_times import FireTimes, fire_times
from agent.core.scheduling.firing import Firing, marks_of, schedule_of
from agent.core.scheduling.limits import Limits
from shared.clock import Clock
from shared.errors import Conflict, Fault, InvalidInput, StaleVersion, Unreadable
from shared.filters import parse
from shared.ids import NewId, is_id
from shared.models import Job, JobInput, Run
from shared.models.base import Instant, Resource
from shared.models.run import RunCause
from shared.schedule import ScheduleSpec

_TRIES = 5
_SCHEDULE_FIELDS = ("interval_type", "interval", "timezone", "start_on", "end_on")


class JobCheck(Resource):
    """What publishing a definition would say, without publishing it."""

    faults: list[dict[str, Any]] = []
    schedule_text: str = ""
    next_fires: list[Instant] = []
    notes: list[dict[str, Any]] = []


class Jobs:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        new_id: NewId,
        drivers: Drivers,
        checking: Checking,
        firing: Firing,
        brake: Brake,
        limits: Limits,
        audit: Audit,
    ) -> None:
        self._store = store
        self._access = Access(store)
        self._clock = clock
        self._new_id = new_id
        self._drivers = drivers
        self._checking = checking
        self._firing = firing
        self._brake = brake
        self._limits = limits
        self._audit = audit

    async def create(
        self,
        caller: Caller,
        definition: JobInput,
        *,
        made_through: str = "api",
        grace: timedelta = timedelta(0),
        draft: DraftMark | None = None,
    ) -> Job:
        """Publish revision 1, and end the draft that it was. Moments before now are not fires, but for those within
        `grace`."""
        caller.require(Scope.EDIT)
        now = self._clock.now()
        self._marks(definition, now, now)
        await self._limits.check(caller.account_id, made_through, definition, now)
        await self._checking.check(caller, definition)
        job = self.as_new(caller, definition, now, made_through=made_through, grace=grace, draft=draft)
        return await self._store.insert_job(job, now)

    def as_new(
        self,
        caller: Caller,
        definition: JobInput,
        now: datetime,
        *,
        made_through: str = "api",
        grace: timedelta = timedelta(0),
        draft: DraftMark | None = None,
    ) -> NewJob:
        """What is stored of a new job whose definition was checked."""
        return NewJob(
            id=self._new_id(),
            account_id=caller.account_id,
            owner_id=caller.user_id,
            slug=definition.slug or slug_of(definition.name),
            definition=with_ids(definition, self._new_id),
            marks=self._marks(definition, now, now - grace),
            made_through=made_through,
            limit=self._limits.active(made_through),
            draft=draft,
            needs=self._checking.needs(definition),
        )

    async def check(
        self, caller: Caller, definition: JobInput, job: Job | None = None, *, from_folder: bool = False
    ) -> JobCheck:
        """What publishing it would say; as the next revision of that job, if there is one. Forbidden and Conflict
        where the caller may not."""
        caller.require(Scope.EDIT)
        if job is not None:
            await self._to_replace(caller, job.id, from_folder=from_folder)
        now = self._clock.now()
        found = JobCheck()
        with suppress(InvalidInput):
            times = fire_times(_spec(definition, job.created_at if job else now), now, now, 5)
            found = JobCheck(next_fires=times.fire_times, notes=times.notes, schedule_text=times.schedule_text)
        if faults := await self.faults(caller, definition, job):
            await self._audit.answered(InvalidInput(faults))
        found.faults = [_fault(fault) for fault in faults]
        return found

    async def faults(self, caller: Caller, definition: JobInput, job: Job | None = None) -> builtins.list[Fault]:
        """Everything for which the definition would be refused, that of an unfinished draft too; as the next revision
        of that job, if there is one."""
        found = [] if definition.name else [Fault("name", "is required")]
        try:
            _spec(definition, self._clock.now())
        except InvalidInput as error:
            found += error.faults
        found += await self._limit_faults(caller, definition, job)
        before = await self.before(job) if job is not None else None
        owner_id = job.owner_id if job is not None else None
        try:
            await self._checking.check(caller, definition, owner_id=owner_id, before=before)
        except InvalidInput as error:
            found += error.faults
        return found

    async def replace(
        self,
        caller: Caller,
        key: str,
        definition: JobInput,
        expected_version: int | None,
        *,
        restored_from: int | None = None,
        draft: DraftMark | None = None,
        from_folder: bool = False,
    ) -> Job:
        """Publish the next revision, and end the draft that it was. A changed schedule starts anew from now: editing
        never re-fires. Only `from_folder` changes what the definitions folder defines."""
        job = await self._to_replace(caller, key, from_folder=from_folder)
        before = await self.before(job)
        definition = with_ids(definition, self._new_id, before)
        await self._checking.check(caller, definition, owner_id=job.owner_id, before=before)
        if faults := await self._limit_faults(caller, definition, job):
            raise InvalidInput(faults)
        now = self._clock.now()
        change = await self.as_change(caller, job, definition, now, restored_from=restored_from, draft=draft)
        return await self._store.replace_job(change, expected_version, now)

    async def as_change(
        self,
        caller: Caller,
        job: Job,
        definition: JobInput,
        now: datetime,
        *,
        restored_from: int | None = None,
        draft: DraftMark | None = None,
    ) -> JobChange:
        """What is stored of a next revision that was checked. What a pause left out under the old schedule is settled."""
        fresh = _begins_anew(job, definition)
        if fresh and job.enabled and job.paused_at is not None:
            with suppress(InvalidInput):  # a schedule that cannot be read any more may be replaced all the same
                await self._settle(job, now)
        due = await self._store.due_state(caller.account_id, job.id)
        marks = self._marks(definition, job.created_at, now if fresh else due.high_water)
        needs = self._checking.needs(definition)
        limit = self._limits.active(due.made_through)
        return JobChange(job.id, definition, marks, caller.user_id, restored_from, draft, limit, needs)

    async def _limit_faults(self, caller: Caller, definition: JobInput, job: Job | None) -> builtins.list[Fault]:
        """What an edit leaves alone stands, though the limits are lower by now."""
        if job is None:
            return await self._limits.faults(caller.account_id, "api", definition, self._clock.now())
        if not _begins_anew(job, definition):
            return []
        made_through = await self._store.made_through(job.id)
        return await self._limits.faults(caller.account_id, made_through, definition, job.created_at)

    async def get(self, caller: Caller, key: str) -> Job:
        return await self._access.job(caller, key, Act.READ)

    async def get_to_edit(self, caller: Caller, key: str, *, from_folder: bool = False) -> Job:
        """For whom may change it. Conflict where the definitions folder says what it is, unless that asks."""
        job = await self._access.job(caller, key, Act.EDIT)
        if not from_folder:
            require_editable(job)
        return job

    async def _to_replace(self, caller: Caller, key: str, *, from_folder: bool) -> Job:
        job = await self.get_to_edit(caller, key, from_folder=from_folder)
        if job.unreadable:  # among its actions may be any
            caller.require(Scope.CODE)
        for type_ in (job.type, *(action.type for action in job.actions)):
            self._require_code(caller, type_)
        return job

    async def definition(self, job: Job, revision: int | None = None) -> JobInput:
        """Of a job that the caller was given: what a revision says, else the one that it is at."""
        return await self._store.definition(job.id, revision or job.revision)

    async def before(self, job: Job) -> JobInput | None:
        """What is to be replaced; None where nobody can read it: nothing of it is taken over."""
        try:
            return await self._store.definition(job.id, job.revision)
        except Unreadable:
            return None

    async def list(
        self, caller: Caller, *, q: str = "", sort: str = "name", limit: int = 30, start: int = 0, filter: str = ""  # noqa: A002  (the API's own word)
    ) -> tuple[list[Job], int]:  # fmt: skip
        caller.require(Scope.READ)
        where = parse(filter, "job") if filter else None
        return await self._store.list_jobs(
            caller.account_id, q=q, sort=sort, limit=limit, start=start, where=where, seen_by=seen_by(caller)
        )

    async def pause(self, caller: Caller, key: str) -> Job:
        """Moments from now on are counted, not run, until it resumes. Pausing a paused job changes nothing."""
        return await self._switch(caller, key, paused=True)

    async def resume(self, caller: Caller, key: str) -> Job:
        """One ledger row tells what the pause left out. Of a disabled job it left out nothing."""
        return await self._switch(caller, key, paused=False)

    async def _switch(self, caller: Caller, key: str, *, paused: bool) -> Job:
        """Anew where somebody changed the job meanwhile: its next fire may be another."""
        for _ in range(_TRIES - 1):
            with suppress(StaleVersion):
                return await self._switched(caller, key, paused=paused)
        return await self._switched(caller, key, paused=paused)

    async def _switched(self, caller: Caller, key: str, *, paused: bool) -> Job:
        job = await self._access.job(caller, key, Act.EDIT)
        if (job.paused_at is not None) is paused:
            return job
        now = self._clock.now()
        if job.enabled and not job.unreadable:
            await self._settle(job, now)
        upcoming = await self._upcoming(job)
        return await self._store.set_paused(job.id, now if paused else None, upcoming, now, job.version)

    async def delete(self, caller: Caller, key: str, expected_version: int | None) -> None:
        job = await self._access.job(caller, key, Act.DELETE)
        require_editable(job)
        await self._store.delete_job(job.id, expected_version, self._clock.now())

    async def run_now(self, caller: Caller, key: str) -> Run:
        """Always allowed, on disabled jobs too; queues behind an active run unless overlap is `allow`."""
        caller.require(Scope.RUN)
        job_id = key if is_id(key) else (await self._access.job(caller, key, Act.RUN)).id
        if is_id(key) and not caller.is_admin:
            await self._access.of_job(caller, key, Act.RUN, f"job {key!r}")
        now = self._clock.now()
        cause: RunCause = "manual" if caller.via == "socket" else "api"
        run = NewRun(self._new_id(), job_id, cause, None, now, chained=None, account_id=caller.account_id)
        return (await self._store.insert_runs([run], now))[0]

    async def explain(self, caller: Caller, key: str) -> Explanation:
        """Why it did (not) run, in sentences."""
        job = await self._access.job(caller, key, Act.READ)
        return await explain(self._store, self._drivers, job, self._clock.now())

    def fire_times(self, spec: ScheduleSpec, *, after: datetime | None, count: int) -> FireTimes:
        return fire_times(spec, self._clock.now(), after, count)

    async def _settle(self, job: Job, now: datetime) -> None:
        """Write what became of the job's moments until now; one look at it is bounded."""
        due = await self._store.due_state(job.account_id, job.id)
        held_up_to = await self._brake.judge(now, beside=due)
        while due.high_water < now:
            await self._store.settle([self._firing.settle(due, now, held_up_to)], now)
            due = await self._store.due_state(job.account_id, job.id)

    async def _upcoming(self, job: Job) -> datetime | None:
        due = await self._store.due_state(job.account_id, job.id)
        if job.unreadable:  # it is looked at again when it was to be
            return due.job.next_run_at
        return schedule_of(job, job.created_at).next(due.high_water)

    def _marks(self, definition: JobInput, anchor: datetime, high_water: datetime) -> ScheduleMarks:
        return marks_of(schedule_of(definition, anchor), high_water)

    def _require_code(self, caller: Caller, job_type: str) -> None:
        """A job whose driver is gone may have run programs: who changes it needs the scope as well."""
        require_code(caller, self._drivers.find(job_type))


def slug_of(name: str) -> str:
    """Lower-case letters, digits and dashes of the name; `job` where nothing of it is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80].strip("-") or "job"


def require_editable(job: Job) -> None:
    """Conflict for what the definitions folder defines."""
    if job.defined_in is not None:
        raise Conflict(
            f"the job '{job.slug}' is defined in {job.defined_in} of the agent's definitions folder; change it there"
        )


def _begins_anew(job: Job, definition: JobInput) -> bool:
    return _schedule_changed(job, definition) or (definition.enabled and not job.enabled)


def _schedule_changed(job: Job, definition: JobInput) -> bool:
    changed = any(getattr(job, field) != getattr(definition, field) for field in _SCHEDULE_FIELDS)
    return changed or job.policies.dst != definition.policies.dst


def _spec(definition: JobInput, anchor: datetime) -> ScheduleSpec:
    return schedule_of(definition, anchor).spec


def _fault(fault: Fault) -> dict[str, Any]:
    return {"field": fault.field, "message": fault.message, "value": fault.value, "code": fault.code}
