"""The datasets of one job or draft, seen and changed one by one."""

from __future__ import annotations

from agent.core.definitions.editing import Editing
from agent.core.permissions.access import Access
from agent.core.permissions.callers import Caller
from agent.core.permissions.overreach import not_found
from agent.core.permissions.rules import Act
from agent.core.world.attached import in_order
from shared.errors import Conflict, Forbidden, NotFound
from shared.models import JobInput
from shared.models.dataset import Dataset
from shared.models.job import JobDataset


class JobDatasets:
    def __init__(self, editing: Editing, access: Access) -> None:
        self._editing = editing
        self._access = access

    async def list(self, caller: Caller, key: str) -> list[tuple[JobDataset, Dataset | None]]:
        """Each with the dataset behind it; None where there is none (any more), or not for the caller."""
        definition, _ = await self._editing.definition(caller, key)
        return [(one, await self._behind(caller, one)) for one in in_order(definition)]

    async def get(self, caller: Caller, key: str, alias: str) -> tuple[JobDataset, Dataset | None]:
        definition, _ = await self._editing.definition(caller, key)
        found = _find(definition, alias)
        return found, await self._behind(caller, found)

    async def add(self, caller: Caller, key: str, given: JobDataset) -> tuple[JobDataset, Dataset | None]:
        """Conflict(field='alias') if the job has a dataset of that alias."""
        await self._check(caller, key, given)

        def make(definition: JobInput) -> JobInput:
            if any(one.alias == given.alias for one in definition.datasets):
                raise Conflict(f"the job has a dataset with the alias '{given.alias}' already", field="alias")
            return definition.model_copy(update={"datasets": [*definition.datasets, given]})

        await self._editing.change(caller, key, make)
        return given, await self._behind(caller, given)

    async def put(
        self, caller: Caller, key: str, alias: str, given: JobDataset, expected_version: int | None
    ) -> tuple[JobDataset, Dataset | None]:
        """In the place of the one with that alias; it may get another."""
        await self._check(caller, key, given)

        def make(definition: JobInput) -> JobInput:
            _find(definition, alias)
            if given.alias != alias and any(one.alias == given.alias for one in definition.datasets):
                raise Conflict(f"the job has a dataset with the alias '{given.alias}' already", field="alias")
            changed = [given if one.alias == alias else one for one in definition.datasets]
            return definition.model_copy(update={"datasets": changed})

        await self._editing.change(caller, key, make, expected_version)
        return given, await self._behind(caller, given)

    async def remove(self, caller: Caller, key: str, alias: str, expected_version: int | None) -> None:
        def make(definition: JobInput) -> JobInput:
            gone = _find(definition, alias)
            return definition.model_copy(update={"datasets": [one for one in definition.datasets if one is not gone]})

        await self._editing.change(caller, key, make, expected_version)

    async def _check(self, caller: Caller, key: str, given: JobDataset) -> None:
        """The dataset is there, and the caller may use it; whose job is not there is told nothing of datasets."""
        await self._editing.definition(caller, key)
        try:
            await self._access.dataset(caller, given.dataset_id, Act.USE)
        except NotFound as error:
            raise not_found("datasetId", given.dataset_id, error, "unknown_dataset") from None

    async def _behind(self, caller: Caller, one: JobDataset) -> Dataset | None:
        try:
            return await self._access.dataset(caller, one.dataset_id, Act.READ)
        except (NotFound, Forbidden):
            return None


def _find(definition: JobInput, alias: str) -> JobDataset:
    for one in definition.datasets:
        if one.alias == alias:
            return one
    raise NotFound(f"the job has no dataset with the alias '{alias}'")
