"""The agent's side of snapshots: folders looked at in threads, rows read in processes of their own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.core.records import RowsQuery
from agent.core.wire import DatasetGrant
from agent.resources.datasets.folder import SnapshotFolder
from agent.resources.folder_names import folder_name, make_folder
from agent.resources.knowledge.lock import holder, try_lock
from shared.errors import Conflict, InvalidInput, Unavailable
from shared.models.dataset import Dataset, DatasetRows, Snapshot

AT_ONCE = 2
SECONDS = 20.0
_LAST_SECONDS = 10.0
_COMMAND = (sys.executable, "-I", "-m", "agent.resources.datasets.reader")
_FIELDS = {"where": "where", "slow": "where", "limit": "limit"}


class FileSnapshots:
    """Implements `agent.core.ports.Snapshots` over folders under `root`, one for each dataset."""

    def __init__(self, root: Path, *, seconds: float = SECONDS) -> None:
        self._root = root
        self._seconds = seconds
        self._seen: dict[str, int] = {}
        """When each folder was changed last, as it was seen; 0 where there is none."""
        self._places = asyncio.Semaphore(AT_ONCE)

    def path_of(self, dataset: Dataset) -> str:
        """Neither id can lead out of `root`."""
        return str(Path(self.folder(dataset.account_id), folder_name(dataset.id)))

    async def make_folder(self, grant: DatasetGrant) -> None:
        await make_folder(grant.path)

    def folder(self, account_id: str) -> str:
        return str(self._root / folder_name(account_id))

    async def list(self, dataset: Dataset) -> list[Snapshot]:
        return await asyncio.to_thread(self._folder(dataset).list)

    async def moved(self, datasets: Sequence[Dataset]) -> Sequence[Dataset]:
        return await asyncio.to_thread(self._moved, datasets)

    async def rows(self, dataset: Dataset, snapshot: Snapshot, query: RowsQuery) -> DatasetRows:
        request = {
            "file": str(self._folder(dataset).parquet(snapshot)),
            "where": query.where,
            "start": query.start,
            "limit": query.limit,
            "seconds": self._seconds,
        }
        async with self._places:
            answer = await self._ask(request)
        if "error" in answer:
            raise _refusal(answer["error"], query)
        return DatasetRows(snapshot=snapshot.id, columns=snapshot.columns, start=query.start, **answer["result"])

    async def require_idle(self, dataset: Dataset) -> None:
        await asyncio.to_thread(_require_idle, Path(self.path_of(dataset)), dataset.name)

    async def delete(self, dataset: Dataset, snapshot_ids: Sequence[str]) -> None:
        await asyncio.to_thread(self._folder(dataset).delete, snapshot_ids)

    async def delete_all(self, dataset: Dataset) -> None:
        await asyncio.to_thread(self._folder(dataset).remove)

    def _moved(self, datasets: Sequence[Dataset]) -> Sequence[Dataset]:
        seen = {dataset.id: _changed_at(Path(self.path_of(dataset))) for dataset in datasets}
        found = [dataset for dataset in datasets if seen[dataset.id] != self._seen.get(dataset.id, -1)]
        self._seen = seen
        return found

    def _folder(self, dataset: Dataset) -> SnapshotFolder:
        return SnapshotFolder(Path(self.path_of(dataset)))

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(*_COMMAND, stdin=PIPE, stdout=PIPE, cwd="/")
        try:
            async with asyncio.timeout(self._seconds + _LAST_SECONDS):
                said, _ = await process.communicate(json.dumps(request).encode())
            return dict(json.loads(said))
        except (TimeoutError, ValueError):
            raise Unavailable("the snapshot could not be read: whoever read it ended before its answer") from None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _require_idle(folder: Path, name: str) -> None:
    if not folder.exists():
        return
    lock = try_lock(folder)
    if lock is None:
        raise Conflict(f"{holder(folder)} writes to dataset '{name}'; cancel it, or wait for its end")
    os.close(lock)


def _changed_at(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _refusal(error: dict[str, str], query: RowsQuery) -> InvalidInput | Unavailable:
    field = _FIELDS.get(error["kind"])
    if field is None or (field == "where" and query.where is None):
        return Unavailable(f"the snapshot cannot be read: {error['message']}")
    return InvalidInput.one(field, error["message"], query.where if field == "where" else query.limit)
