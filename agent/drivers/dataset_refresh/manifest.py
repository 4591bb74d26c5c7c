"""What the agent knows of `dataset-refresh` without importing its code."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.dataset_refresh.parameters import RefreshParameters

HELP = """\
Runs the dataset's query on its connection and stores what it finds as a snapshot: a Parquet file and a manifest with
columns, types, rows, bytes and hashes. The source is only read. The snapshot appears when it is whole; a run that was
killed leaves nothing, and its next attempt makes no second one. Then the snapshots go that the dataset does not keep.
"""


def _needs(parameters: RefreshParameters) -> Needs:
    """With other values than its own the dataset is another one, for all that read it."""
    changed = frozenset({("dataset", parameters.dataset)} if parameters.parameters else ())
    return Needs(datasets=(parameters.dataset,), changed=changed)


MANIFEST = Manifest(
    type="dataset-refresh",
    title="Refresh a dataset",
    help=HELP,
    parameters=RefreshParameters,
    entry="agent.drivers.dataset_refresh.run:run",
    needs=_needs,
    template={"dataset": "orders"},
)
