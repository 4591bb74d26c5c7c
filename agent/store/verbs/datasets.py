"""Datasets."""

from __future__ import annotations

from datetime import datetime

from agent.store.verbs.base import Verbs
from agent.store.world import datasets
from shared.models.dataset import Dataset, DatasetInput, Snapshot


class DatasetVerbs(Verbs):
    async def insert_dataset(self, dataset: Dataset) -> Dataset:
        return await self._write(datasets.insert, dataset)

    async def replace_dataset(
        self, account_id: str, dataset_id: str, given: DatasetInput, expected_version: int | None, now: datetime
    ) -> Dataset:
        return await self._write(datasets.replace, account_id, dataset_id, given, expected_version, now)

    async def get_dataset(self, account_id: str, key: str) -> Dataset:
        return await self._read(datasets.get, account_id, key)

    async def list_datasets(self, account_id: str, user_id: str | None = None) -> list[Dataset]:
        return await self._read(datasets.list_seen, account_id, user_id)

    async def all_datasets(self) -> list[Dataset]:
        return await self._read(datasets.list_all)

    async def delete_dataset(self, account_id: str, dataset_id: str, expected_version: int | None) -> None:
        await self._write(datasets.delete, account_id, dataset_id, expected_version, self._clock.now())

    async def note_snapshots(self, account_id: str, dataset_id: str, latest: Snapshot | None, count: int) -> None:
        await self._write(datasets.note_snapshots, account_id, dataset_id, latest, count, self._clock.now())
