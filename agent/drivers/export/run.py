"""The code of `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.core.driving import RunContext
from agent.drivers.export.parameters import ExportParameters
from agent.resources.datasets.duck import Duck, workbench
from agent.resources.datasets.exporting import export
from agent.resources.datasets.folder import SnapshotFolder
from agent.resources.datasets.from_knowledge import gather_knowledge
from agent.resources.datasets.gathering import TABLE
from agent.resources.datasets.parquet import ParquetFile
from agent.resources.datasets.sources import gather, whole_table
from shared.models.dataset import SnapshotColumn


def run(context: RunContext, parameters: ExportParameters) -> dict[str, Any]:
    with workbench(context) as bench:
        with context.step("read", f"Read '{parameters.dataset or parameters.table or parameters.knowledge_base}'"):
            columns = _bring(context, bench, parameters)
        with context.step("write", f"Write it as {parameters.format}"):
            return export(context, bench, TABLE, columns, parameters.wish(parameters.name))


def _bring(context: RunContext, bench: Duck, parameters: ExportParameters) -> list[SnapshotColumn]:
    """The rows as `gathered`."""
    if parameters.dataset:
        grant = context.dataset(parameters.dataset)
        folder = SnapshotFolder(Path(grant.path))
        snapshot = folder.require(grant.name, parameters.snapshot)
        file = ParquetFile(bench, folder.parquet(snapshot), context.scratch)
        return file.view(TABLE)
    if parameters.table:
        name, _, table = parameters.table.partition(".")
        connection = context.connection(name)
        return gather(context, bench, connection, whole_table(connection, table))
    return gather_knowledge(context, bench, context.knowledge_base(str(parameters.knowledge_base)))
