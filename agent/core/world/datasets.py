"""Datasets and what is asked of them. Every act begins with who asks."""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence
from contextlib import suppress

from agent.core.jobs.jobs import Jobs
from agent.core.naming import plain_name
from agent.core.permissions.access import Access
from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.overreach import not_found
from agent.core.permissions.rules import Act, seen_by
from agent.core.ports import Snapshots, Store
from agent.core.records import RowsQuery
from shared.clock import Clock
from shared.errors import InvalidInput, JobdeckError, NotFound
from shared.ids import NewId
from shared.models import Job, JobInput, JobUsers, Run
from shared.models.dataset import Dataset, DatasetInput, DatasetRows, NewDataset, Snapshot

REFRESH = "dataset-refresh"
_BEGINNING = re.compile(
    r"(?>\s+|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*+(select|with|values|table|from)\b", re.DOTALL | re.IGNORECASE
)
"""Never tried in another way than the first: comments that could end here or there would be looked at for ever."""


class Datasets:
    def __init__(
        self, store: Store, snapshots: Snapshots, access: Access, jobs: Jobs, clock: Clock, new_id: NewId
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._access = access
        self._jobs = jobs
        self._clock = clock
        self._new_id = new_id

    async def create(self, caller: Caller, given: NewDataset) -> Dataset:
        caller.require(Scope.EDIT)
        await self._check(caller, given)
        now = self._clock.now()
        dataset = Dataset(
            **given.model_dump(),
            id=self._new_id(),
            account_id=caller.account_id,
            owner_id=caller.user_id,
            created_at=now,
            updated_at=now,
        )
        return await self._store.insert_dataset(dataset)

    async def list(self, caller: Caller) -> builtins.list[Dataset]:
        caller.require(Scope.READ)
        return await self._store.list_datasets(caller.account_id, seen_by(caller))

    async def get(self, caller: Caller, key: str) -> Dataset:
        """With its snapshots as they are now."""
        dataset = await self._access.dataset(caller, key, Act.READ)
        found = await self._snapshots.list(dataset)
        return dataset.model_copy(update={"snapshot": found[0] if found else None, "snapshots": len(found)})

    async def replace(self, caller: Caller, key: str, given: DatasetInput, expected_version: int | None) -> Dataset:
        """Snapshots that were made stay, whatever the query is now."""
        dataset = await self._access.dataset(caller, key, Act.EDIT)
        await self._check(caller, given)
        now = self._clock.now()
        return await self._store.replace_dataset(caller.account_id, dataset.id, given, expected_version, now)

    async def users(self, caller: Caller, key: str) -> JobUsers:
        """The jobs that fail without it; what `delete` takes along is none."""
        dataset = await self._access.dataset(caller, key, Act.READ)
        keys = [dataset.name, dataset.id]
        found = await self._store.job_users(caller.account_id, "dataset", keys, seen_by(caller))
        own = await self._own_refresher(caller, dataset)
        others = [job for job in found.items if own is None or job.id != own.id]
        return found.model_copy(update={"items": others})

    async def delete(self, caller: Caller, key: str, expected_version: int | None) -> None:
        """With all its snapshots, and the job that `refresh` made; Conflict while a run writes one. Other jobs that name it
        fail from then on."""
        dataset = await self._access.dataset(caller, key, Act.DELETE)
        await self._snapshots.require_idle(dataset)
        await self._store.delete_dataset(caller.account_id, dataset.id, expected_version)
        await self._snapshots.delete_all(dataset)
        await self._delete_refresher(caller, dataset)

    async def snapshots(self, caller: Caller, key: str) -> builtins.list[Snapshot]:
        """Newest first."""
        return await self._snapshots.list(await self._access.dataset(caller, key, Act.READ))

    async def delete_snapshot(self, caller: Caller, key: str, snapshot_id: str) -> None:
        dataset = await self._access.dataset(caller, key, Act.DELETE)
        _pick(dataset, await self._snapshots.list(dataset), snapshot_id)
        await self._snapshots.delete(dataset, [snapshot_id])
        await self.look(dataset)

    async def rows(self, caller: Caller, key: str, query: RowsQuery, snapshot_id: str | None = None) -> DatasetRows:
        """A page of a snapshot's rows, of the latest unless one is named."""
        dataset = await self._access.dataset(caller, key, Act.READ)
        snapshot = _pick(dataset, await self._snapshots.list(dataset), snapshot_id)
        return await self._snapshots.rows(dataset, snapshot, query)

    async def refresh(self, caller: Caller, key: str) -> Run:
        """Run the job that refreshes it: the caller may run it, or it is made now and has no schedule."""
        dataset = await self._access.dataset(caller, key, Act.RUN)
        if dataset.query is None:
            raise InvalidInput.one("query", f"the dataset '{dataset.name}' has none: imports fill it", None)
        job = await self._refresher(caller, dataset)
        return await self._jobs.run_now(caller, job.id)

    async def look(self, dataset: Dataset) -> None:
        """Let the store know what is in the dataset's folder."""
        found = await self._snapshots.list(dataset)
        await self._store.note_snapshots(dataset.account_id, dataset.id, found[0] if found else None, len(found))

    async def _refresher(self, caller: Caller, dataset: Dataset) -> Job:
        name = f"Refresh {dataset.name}"
        try:
            job = await self._jobs.get(caller, name)
        except NotFound:
            made = JobInput.model_validate({"name": name, "type": REFRESH, "data": {"dataset": dataset.name}})
            return await self._jobs.create(caller, made, made_through="dataset")
        if not _refreshes(job, dataset):
            raise InvalidInput.one("name", f"the job '{name}' does something else; run a job of type {REFRESH} instead")
        return job

    async def _delete_refresher(self, caller: Caller, dataset: Dataset) -> None:
        """Unless it is not the caller's to delete."""
        if (job := await self._own_refresher(caller, dataset)) is not None:
            with suppress(JobdeckError):
                await self._jobs.delete(caller, job.id, job.version)

    async def _own_refresher(self, caller: Caller, dataset: Dataset) -> Job | None:
        """What `refresh` made, unless somebody gave it a schedule or more to do."""
        with suppress(JobdeckError):
            job = await self._jobs.get(caller, f"Refresh {dataset.name}")
            if _refreshes(job, dataset) and job.interval_type == "none" and not job.actions:
                return job
        return None

    async def _check(self, caller: Caller, given: DatasetInput) -> None:
        """Its name stands in jobs, its connection is there and may be used, its query begins as one that reads."""
        plain_name(given.name)
        if given.query is not None and not _BEGINNING.match(given.query):
            raise InvalidInput.one("query", "must be one SELECT (or WITH, VALUES, TABLE)", given.query[:200])
        if given.connection is not None:
            try:
                await self._access.connection(caller, given.connection, Act.USE)
            except NotFound as error:
                raise not_found("connection", given.connection, error, "unknown_connection") from None


def _refreshes(job: Job, dataset: Dataset) -> bool:
    return job.type == REFRESH and job.data.get("dataset") in (dataset.name, dataset.id)


def _pick(dataset: Dataset, found: Sequence[Snapshot], snapshot_id: str | None) -> Snapshot:
    """NotFound if there is none, or not that one."""
    for snapshot in found:
        if snapshot_id in (None, snapshot.id):
            return snapshot
    raise NotFound(f"the dataset '{dataset.name}' has no snapshot {snapshot_id or 'yet'}")
