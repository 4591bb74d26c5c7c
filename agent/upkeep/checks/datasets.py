"""Whether the snapshots of datasets are what their manifests say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from agent.resources.datasets.client import FileSnapshots
from agent.resources.datasets.folder import SnapshotFolder
from agent.store.inspection import StoreInspection
from agent.upkeep.findings import Finding, error, listed, warning
from agent.upkeep.layout import Layout


def check_datasets(store: StoreInspection, layout: Layout) -> Iterator[Finding]:
    snapshots = FileSnapshots(layout.datasets)
    known = {Path(snapshots.path_of(cast("Any", row))): row["name"] for row in store.datasets()}
    for path, name in known.items():
        for fault in SnapshotFolder(path).faults():
            remedy = f"restore it from a backup, or delete the snapshot and refresh the dataset: jobdeck dataset refresh {name}"
            yield error("datasets", f"dataset '{name}': {fault}", remedy)
    strange = [str(path) for path in sorted(layout.datasets.glob("*/*/")) if path not in known]
    if strange:
        yield warning("datasets", f"the store knows nothing of {listed(strange)}", "remove what nobody misses")
