"""The routes of datasets, their snapshots and the rows in them."""

from __future__ import annotations

from console.client.answers import Items
from console.client.session import Session, segment
from shared.models import JobUsers, Run
from shared.models.dataset import Dataset, DatasetRows, NewDataset, Snapshot


class Datasets:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def all(self) -> list[Dataset]:
        return (await self._session.fetch(Items[Dataset], "GET", "/datasets")).items

    async def create(self, dataset: NewDataset) -> Dataset:
        return await self._session.fetch(Dataset, "POST", "/datasets", body=dataset)

    async def get(self, key: str) -> Dataset:
        """With its snapshots as they are now."""
        return await self._session.fetch(Dataset, "GET", _path(key))

    async def users(self, key: str) -> JobUsers:
        return await self._session.fetch(JobUsers, "GET", f"{_path(key)}/jobs")

    async def delete(self, key: str) -> None:
        await self._session.send("DELETE", _path(key))

    async def refresh(self, key: str) -> Run:
        """The run that was begun."""
        return await self._session.fetch(Run, "POST", f"{_path(key)}/_refresh")

    async def snapshots(self, key: str) -> list[Snapshot]:
        """Newest first."""
        return (await self._session.fetch(Items[Snapshot], "GET", f"{_path(key)}/snapshots")).items

    async def rows(
        self, key: str, *, snapshot: str | None = None, where: str | None = None, limit: int = 100, offset: int = 0
    ) -> DatasetRows:
        """A page of the latest snapshot, or of that one; `where` in DuckDB's SQL."""
        params = {"snapshot": snapshot, "where": where, "limit": limit, "offset": offset}
        return await self._session.fetch(DatasetRows, "GET", f"{_path(key)}/rows", params=params, patience=30)


def _path(key: str) -> str:
    return f"/datasets/{segment('dataset', key)}"
