"""Datasets, as the core needs them stored, and their snapshots, which are files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from agent.core.records import RowsQuery
from agent.core.wire import DatasetGrant
from shared.models.dataset import Dataset, DatasetInput, DatasetRows, Snapshot


class DatasetStore(Protocol):
    async def insert_dataset(self, dataset: Dataset) -> Dataset:
        """Conflict(field='name') if the name is taken in the account."""

    async def replace_dataset(
        self, account_id: str, dataset_id: str, given: DatasetInput, expected_version: int | None, now: datetime
    ) -> Dataset:
        """StaleVersion, NotFound, Conflict as above."""

    async def get_dataset(self, account_id: str, key: str) -> Dataset:
        """By id or name. NotFound."""

    async def list_datasets(self, account_id: str, user_id: str | None = None) -> list[Dataset]:
        """Those that the user may see; None as the user: all of the account."""

    async def all_datasets(self) -> list[Dataset]:
        """Of every account."""

    async def delete_dataset(self, account_id: str, dataset_id: str, expected_version: int | None) -> None: ...

    async def note_snapshots(self, account_id: str, dataset_id: str, latest: Snapshot | None, count: int) -> None:
        """Keep what was found in the dataset's folder; told only where it differs. A dataset that is gone stays so."""


class Snapshots(Protocol):
    """The snapshots of datasets. None of this blocks the loop."""

    def path_of(self, dataset: Dataset) -> str:
        """The folder of the dataset's snapshots, for whoever writes them: a worker."""

    async def make_folder(self, grant: DatasetGrant) -> None:
        """For who is about to write: what is not there later was deleted meanwhile. Unavailable if it cannot be made."""

    def folder(self, account_id: str) -> str:
        """What holds the folders of all of the account's datasets."""

    async def list(self, dataset: Dataset) -> list[Snapshot]:
        """Newest first."""

    async def moved(self, datasets: Sequence[Dataset]) -> Sequence[Dataset]:
        """Those in whose folders something has changed since this was asked last."""

    async def rows(self, dataset: Dataset, snapshot: Snapshot, query: RowsQuery) -> DatasetRows:
        """InvalidInput on `where`; Unavailable if they cannot be read now."""

    async def require_idle(self, dataset: Dataset) -> None:
        """Conflict while a run writes to the dataset's folder, naming the run."""

    async def delete(self, dataset: Dataset, snapshot_ids: Sequence[str]) -> None: ...

    async def delete_all(self, dataset: Dataset) -> None: ...
