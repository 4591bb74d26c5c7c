"""The next snapshot of a dataset: its query is run, what it finds is stored, old ones go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from agent.core.driving import DriverError, RunContext
from agent.core.wire import DatasetGrant
from agent.resources.datasets.duck import workbench
from agent.resources.datasets.folder import SnapshotFolder
from agent.resources.datasets.sources import Wanted, gather
from agent.resources.datasets.storing import drop_old, snapshot_id, store_snapshot
from agent.resources.knowledge.lock import writer_lock
from shared.models.dataset import Snapshot


def refresh(
    context: RunContext,
    grant: DatasetGrant,
    key: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    counted: bool = True,
) -> dict[str, Any]:
    """What came out. `key` is the same in every attempt: a snapshot that one before has finished is not made twice.
    `parameters` stand in for the dataset's own."""
    if grant.query is None or grant.connection is None:
        raise DriverError("no_query", f"the dataset '{grant.name}' has no query: imports fill it")
    asked = grant.model_copy(update={"parameters": {**grant.parameters, **(parameters or {})}})
    folder = SnapshotFolder(Path(grant.path))
    with writer_lock(folder.path, context, grant.name, "dataset"):
        sweep(context, folder)
        done = folder.find(snapshot_id(grant.id, key))
        if done is None:
            done = _make(context, asked, key, counted=counted)
        else:
            context.log(f"the attempt before has stored the snapshot {done.id} already")
        dropped = drop_kept(context, folder, grant)
    return told(done) | {"dropped": dropped}


def sweep(context: RunContext, folder: SnapshotFolder) -> None:
    """What was killed half-way; the caller holds the folder's lock."""
    for path in folder.sweep():
        context.log(f"removed {path.name}, which somebody who was stopped left behind")


def drop_kept(context: RunContext, folder: SnapshotFolder, grant: DatasetGrant) -> int:
    """What the dataset itself does not keep; how many went."""
    age = timedelta(seconds=grant.keep_age) if grant.keep_age is not None else None
    return len(drop_old(folder, grant.keep_count, age, context.clock.now()))


def told(snapshot: Snapshot) -> dict[str, Any]:
    return {"snapshot": snapshot.id, "rows": snapshot.rows, "bytes": snapshot.bytes, "columns": len(snapshot.columns)}


def _make(context: RunContext, grant: DatasetGrant, key: str, *, counted: bool) -> Snapshot:
    source = context.connection(str(grant.connection))
    with workbench(context) as bench:
        with context.step("read", f"Run the query of '{grant.name}' on '{source.name}'"):
            columns = gather(context, bench, source, Wanted(str(grant.query), grant.parameters, counted=counted))
        with context.step("store", "Store what it found as a snapshot"):
            snapshot = store_snapshot(context, bench, grant, key, columns)
    context.log(f"snapshot {snapshot.id}: {snapshot.rows} rows, {snapshot.bytes} bytes")
    return snapshot
