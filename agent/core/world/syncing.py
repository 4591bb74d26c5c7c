"""Syncs and resets of knowledge bases, as whoever integrates other systems sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from agent.core.definitions.parameters import parse_parameters
from agent.core.jobs.jobs import Jobs
from agent.core.permissions.access import Access
from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.rules import Act, seen_by
from agent.core.ports import Drivers, Store
from agent.core.ports.syncs import SyncEvent, SyncJobs, SyncQuery, SyncRun
from agent.core.records import NewRun, RunVariant
from agent.core.running.variants import act_of, varied
from agent.core.world.world import World
from shared.clock import Clock
from shared.errors import InvalidInput, NotFound
from shared.ids import NewId, is_id
from shared.models import Job, JobInput, KnowledgeBaseInput, Run
from shared.states import RunState

SYNC, RESET = "kb-sync", "kb-reset"
TYPES = (SYNC, RESET)
Kind = Literal["sync", "reset", "refresh", "clear"]


class Syncing:
    """Of jobs of the two types. A reset of a sync's content is a run of that job, once as the other type."""

    def __init__(self, store: Store, jobs: Jobs, world: World, drivers: Drivers, clock: Clock, new_id: NewId) -> None:
        self._store = store
        self._jobs = jobs
        self._world = world
        self._access = Access(store)
        self._drivers = drivers
        self._clock = clock
        self._new_id = new_id

    async def runs(self, caller: Caller, query: SyncQuery) -> tuple[Sequence[SyncRun], int]:
        """A page of those that the caller may read, and how many there are."""
        caller.require(Scope.READ)
        if query.job_id is not None and not is_id(query.job_id):
            return [], 0
        types = tuple(type_ for type_ in query.types or TYPES if type_ in TYPES)
        asked = replace(query, account_id=caller.account_id, seen_by=seen_by(caller), types=types)
        return await self._store.sync_runs(asked)

    async def run(self, caller: Caller, run_id: str) -> SyncRun:
        """NotFound for runs of other types too."""
        found: Sequence[SyncRun] = []
        if is_id(run_id):
            found, _ = await self.runs(caller, SyncQuery(caller.account_id, run_id=run_id.lower()))
        if not found:
            raise NotFound(f"there is no sync or reset {run_id[:100]!r}")
        return found[0]

    async def events(
        self, caller: Caller, key: str, kind: str | None, states: tuple[RunState, ...] | None, limit: int, offset: int
    ) -> tuple[Sequence[SyncEvent], int]:
        """What became of the job, newest first."""
        caller.require(Scope.READ)
        found = await self._store.sync_events(caller.account_id, seen_by(caller), _id(key), kind, states, limit, offset)
        if found is None:
            raise _missing(key)
        return found

    async def job(self, caller: Caller, key: str, act: Act) -> Job:
        """By id; NotFound for jobs of other types too."""
        try:
            job = await self._access.job(caller, _id(key), act)
        except NotFound:
            raise _missing(key) from None
        if job.type not in TYPES:
            raise _missing(key)
        return job

    async def trigger(self, caller: Caller, key: str, kind: Kind, streams: Sequence[str] = ()) -> Run:
        """A run of that kind; `streams`, by `source_table`, of a refresh or a clear: none means all."""
        job = await self.job(caller, key, act_of(kind))
        variant = await self._variant(job, kind, streams)
        now = self._clock.now()
        run = NewRun(
            self._new_id(), job.id, "api", None, now, chained=None, account_id=caller.account_id, variant=variant
        )
        return (await self._store.insert_runs([run], now))[0]

    async def create(self, caller: Caller, definition: JobInput, base_name: str | None) -> Job:
        """Publish it; with `base_name` into a new knowledge base of that name, which is not left behind if it cannot
        be published."""
        if base_name is None:
            return await self._jobs.create(caller, definition, made_through="connectors")
        base = await self._world.create_knowledge_base(caller, KnowledgeBaseInput(name=base_name))
        try:
            data = {**definition.data, "knowledge_base": base.name}
            whole = definition.model_copy(update={"data": data})
            return await self._jobs.create(caller, whole, made_through="connectors")
        except BaseException:
            await self._world.discard_knowledge_base(base)
            raise

    async def jobs(self, caller: Caller, limit: int, offset: int) -> SyncJobs:
        """A page of those that the caller may read, by name."""
        caller.require(Scope.READ)
        return await self._store.sync_jobs(caller.account_id, seen_by(caller), None, limit, offset)

    async def one(self, caller: Caller, key: str) -> SyncJobs:
        caller.require(Scope.READ)
        found = await self._store.sync_jobs(caller.account_id, seen_by(caller), _id(key), 1, 0)
        if not found.jobs:
            raise _missing(key)
        return found

    async def base_names(self, caller: Caller) -> list[str]:
        """All that are taken in the account, so that a new one gets another."""
        return [base.name for base in await self._store.list_knowledge_bases(caller.account_id)]

    async def _variant(self, job: Job, kind: Kind, streams: Sequence[str]) -> RunVariant | None:
        """None: the run does what its job says."""
        if (job.type, kind) in ((SYNC, "sync"), (RESET, "reset")):
            return None
        if job.type == RESET and kind != "sync":
            raise InvalidInput.one("connection_id", f"the job '{job.name}' is a reset itself; it has no {kind}", job.id)
        type_, changes = (SYNC, {}) if kind == "sync" else (RESET, _changes(kind, streams))
        manifest = self._drivers.get(type_)
        definition = await self._store.definition(job.id, job.revision)
        parse_parameters(manifest, varied(manifest, definition, changes))
        return RunVariant(type_, kind, changes)


def _id(key: str) -> str:
    """As it is stored; NotFound for what is none."""
    if not is_id(key):
        raise _missing(key)
    return key.lower()


def _missing(key: str) -> NotFound:
    return NotFound(f"there is no connection {key[:100]!r}")


def _changes(kind: Kind, streams: Sequence[str]) -> dict[str, Any]:
    mode = {"reset": "rebuild", "refresh": "refresh", "clear": "clear"}[kind]
    return {"mode": mode, **({"only": list(streams)} if streams else {})}
