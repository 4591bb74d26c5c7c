"""What the agent knows of `import` without importing its code."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.import_.parameters import ImportParameters

HELP = """\
Brings a CSV, JSON Lines or Parquet file into a table of a connection, or makes it a dataset's next snapshot. Rows go
into a table by batches, each a transaction; a run that was killed goes on behind its last batch, and every row goes in
once: how far it is stands in the table `jobdeck_imports` of the target, which is made where it is missing (an `upsert`
needs none). Rows that do not fit are counted and told with line and reason, up to `max_errors`.
"""


def _needs(parameters: ImportParameters) -> Needs:
    return Needs(
        connections=(parameters.table.partition(".")[0],) if parameters.table else (),
        datasets=(parameters.dataset,) if parameters.dataset else (),
    )


MANIFEST = Manifest(
    type="import",
    title="Import rows from a file",
    help=HELP,
    parameters=ImportParameters,
    entry="agent.drivers.import_.run:run",
    needs=_needs,
    template={"file": "incoming/orders.csv", "table": "shop.orders", "mode": "upsert"},
)
