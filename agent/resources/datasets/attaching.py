"""The latest snapshot of a dataset as a file to be attached to a mail."""

from __future__ import annotations

from pathlib import Path

from agent.core.driving import RunContext
from agent.resources.datasets.duck import workbench
from agent.resources.datasets.folder import SnapshotFolder
from agent.resources.datasets.formats import Format, Style, write_file
from agent.resources.datasets.parquet import ParquetFile

_ROWS = "attached"


def snapshot_file(context: RunContext, alias: str, format_: Format, most: int) -> tuple[Path, int, int]:
    """(the file in the run's own folder, its rows, all rows); at most `most` of them. DriverError(kind='no_snapshot')."""
    grant = context.dataset(alias)
    folder = SnapshotFolder(Path(grant.path))
    snapshot = folder.require(grant.name)
    path = context.scratch / f"attached.{format_}"
    with workbench(context, "attaching") as bench:
        columns = ParquetFile(bench, folder.parquet(snapshot), context.scratch).view(_ROWS)
        path.unlink(missing_ok=True)
        # in a mail, it is opened by a spreadsheet
        write_file(bench, _ROWS, columns, Style(format_, defused=True), path, (0, most))
    return path, min(most, snapshot.rows), snapshot.rows
