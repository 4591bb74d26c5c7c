"""The code of `dataset`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.core.driving import RunContext
from agent.core.wire import DatasetGrant
from agent.drivers.dataset.parameters import DatasetParameters
from agent.resources.datasets.asking import ask
from agent.resources.datasets.duck import workbench
from agent.resources.datasets.exporting import export
from agent.resources.datasets.folder import SnapshotFolder
from agent.resources.datasets.gathering import TABLE
from agent.resources.datasets.parquet import ParquetFile
from agent.resources.datasets.refreshing import refresh, told


def run(context: RunContext, parameters: DatasetParameters) -> dict[str, Any]:
    grant = context.dataset(parameters.dataset)
    match parameters.operation:
        case "refresh":
            return refresh(context, grant, context.idempotency_key, parameters=parameters.parameters)
        case "snapshot":
            return _snapshot(context, grant, parameters)
        case "query":
            return ask(context, grant, parameters.dataset, parameters.sql, parameters.limit, None)
    return _export(context, grant, parameters)


def _snapshot(context: RunContext, grant: DatasetGrant, parameters: DatasetParameters) -> dict[str, Any]:
    latest = SnapshotFolder(Path(grant.path)).latest()
    if latest is not None and context.clock.now() - latest.created_at < parameters.max_age:
        context.log(f"the snapshot {latest.id} is young enough")
        return told(latest) | {"dropped": 0}
    return refresh(context, grant, context.idempotency_key, parameters=parameters.parameters)


def _export(context: RunContext, grant: DatasetGrant, parameters: DatasetParameters) -> dict[str, Any]:
    folder = SnapshotFolder(Path(grant.path))
    snapshot = folder.require(grant.name)
    with workbench(context) as bench:
        columns = ParquetFile(bench, folder.parquet(snapshot), context.scratch).view(TABLE)
        return export(context, bench, TABLE, columns, parameters.export.wish(parameters.dataset))
