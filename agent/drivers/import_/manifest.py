"""What the agent knows of `import` without importing its code."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.import_.parameters import ImportParameters

HELP = """\
Brings a CSV, JSON Lines or Parquet file, an attached one or a dataset's snapshot into a table of a connection or into a
knowledge base, or makes it a dataset's next snapshot. Rows go in by batches, each a transaction; a run that was killed
goes on behind its last batch, and every row goes in once. For a table, how far it is stands in `jobdeck_imports` of the
target, which is made where it is missing (an `upsert` needs none); in a knowledge base only what changed is embedded.
A table's connection, or a dataset, must be the job's owner's, or shared with the owner as editor, and so must a knowledge
base with `remove_missing`; so with who defines the job. Rows that do not fit end the run, or are left out (`on_bad_row`), counted and told with line, column and reason.
"""


def _needs(parameters: ImportParameters) -> Needs:
    """A table or a dataset is changed by what comes; a knowledge base is filled, which is what it is for, unless rows are
    removed from it: they may be others'."""
    targets = {
        "connection": (parameters.table or "").partition(".")[0],
        "dataset": parameters.dataset,
        "knowledge_base": parameters.knowledge_base if parameters.remove_missing else None,
    }
    return Needs(
        changed=frozenset((kind, name) for kind, name in targets.items() if name),
        connections=(parameters.table.partition(".")[0],) if parameters.table else (),
        knowledge_bases=(parameters.knowledge_base,) if parameters.knowledge_base else (),
        datasets=tuple(name for name in (parameters.dataset, parameters.from_dataset) if name),
    )


MANIFEST = Manifest(
    type="import",
    title="Import rows from a file",
    help=HELP,
    parameters=ImportParameters,
    entry="agent.drivers.import_.run:run",
    needs=_needs,
    takes_attachments=True,
    template={"file": "incoming/orders.csv", "table": "shop.orders", "mode": "upsert"},
)
