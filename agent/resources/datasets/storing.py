"""From the workbench into a snapshot: written aside, put in place, and old ones dropped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from agent.core.driving import DriverError, RunContext
from agent.core.wire import DatasetGrant
from agent.resources.datasets.duck import Duck, quoted
from agent.resources.datasets.folder import SnapshotFolder, file_hash
from agent.resources.datasets.gathering import TABLE
from agent.resources.stored import room_for
from shared.errors import LimitReached
from shared.models.dataset import Snapshot, SnapshotColumn


def snapshot_id(dataset_id: str, key: str) -> str:
    """The same for the same work: an attempt finds what the one before it has finished. `key`: of the run's step."""
    return str(uuid5(NAMESPACE_URL, f"jobdeck:{dataset_id}:{key}"))


def query_hash(query: str | None, parameters: Mapping[str, Any]) -> str:
    """SHA-256 of the query and what it was asked with."""
    asked = json.dumps([query, dict(parameters)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()


def store_snapshot(
    context: RunContext, bench: Duck, grant: DatasetGrant, key: str, columns: Sequence[SnapshotColumn]
) -> Snapshot:
    """The rows of `gathered` as the dataset's next snapshot. The caller holds the folder's lock."""
    folder = SnapshotFolder(Path(grant.path))
    made = context.scratch / "snapshot.parquet"
    bench.execute(f"COPY (SELECT * FROM {TABLE}) TO {quoted(str(made))} (FORMAT parquet, COMPRESSION zstd)")
    snapshot = Snapshot(
        id=snapshot_id(grant.id, key),
        dataset_id=grant.id,
        created_at=context.clock.now(),
        run_id=context.run_id,
        rows=bench.execute(f"SELECT count(*) FROM {TABLE}").fetchone()[0],
        bytes=made.stat().st_size,
        sha256=file_hash(made),
        query_sha256=query_hash(grant.query, grant.parameters),
        columns=list(columns),
    )
    context.check_cancelled()
    try:
        with room_for(snapshot.bytes, context.account_id, grant.stored):
            made.replace(folder.aside(snapshot.id))
            folder.add(snapshot)
    except LimitReached as error:
        raise DriverError(error.code, error.message) from None
    return snapshot


def drop_old(folder: SnapshotFolder, count: int | None, age: timedelta | None, now: datetime) -> list[Snapshot]:
    """Those beyond the newest `count`, and those older than `age`; the latest stays always. What went."""
    found = folder.list()
    old = [
        snapshot
        for place, snapshot in enumerate(found)
        if place > 0
        and ((count is not None and place >= count) or (age is not None and snapshot.created_at < now - age))
    ]
    folder.delete(snapshot.id for snapshot in old)
    return old
