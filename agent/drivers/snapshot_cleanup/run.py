"""The code of `snapshot-cleanup`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.core.driving import RunContext
from agent.drivers.snapshot_cleanup.parameters import CleanupParameters
from agent.resources.datasets.folder import SnapshotFolder
from agent.resources.datasets.refreshing import sweep
from agent.resources.datasets.storing import drop_old
from agent.resources.knowledge.lock import writer_lock


def run(context: RunContext, parameters: CleanupParameters) -> dict[str, Any]:
    deleted, freed, kept = 0, 0, 0
    for place, name in enumerate(parameters.datasets):
        context.check_cancelled()
        grant = context.dataset(name)
        folder = SnapshotFolder(Path(grant.path))
        with writer_lock(folder.path, context, grant.name, "dataset"):
            sweep(context, folder)
            gone = drop_old(folder, parameters.keep_count, parameters.keep_age, context.clock.now())
            kept += len(folder.list())
        deleted += len(gone)
        freed += sum(snapshot.bytes for snapshot in gone)
        context.log(f"{grant.name}: {len(gone)} snapshots dropped")
        context.progress(place + 1, len(parameters.datasets), unit="datasets")
    return {"deleted": deleted, "kept": kept, "bytesFreed": freed}
