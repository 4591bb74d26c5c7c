"""What the agent knows of `export` without importing its code."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.export.parameters import ExportParameters

HELP = """\
Writes a dataset's snapshot, a table of a connection or a knowledge base to CSV, JSON Lines or Parquet: values as they
are, NULL told from the empty text, bytes as base64, moments in ISO 8601. Files are written aside and renamed when all
are whole; a run that was killed leaves none, and its next attempt makes the same names. Folders lie below the data
folder's `exports` (of other accounts: `exports-of/<account>`), or below the setting `file_roots`; no links.
"""


def _needs(parameters: ExportParameters) -> Needs:
    return Needs(
        connections=(parameters.table.partition(".")[0],) if parameters.table else (),
        knowledge_bases=(parameters.knowledge_base,) if parameters.knowledge_base else (),
        datasets=(parameters.dataset,) if parameters.dataset else (),
    )


MANIFEST = Manifest(
    type="export",
    title="Export rows to files",
    help=HELP,
    parameters=ExportParameters,
    entry="agent.drivers.export.run:run",
    needs=_needs,
    template={"dataset": "orders", "format": "csv", "folder": "daily", "file": "orders-{date}.csv"},
)
