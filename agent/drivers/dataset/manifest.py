"""What the agent knows of `dataset` without importing its code."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.dataset.parameters import DatasetParameters

HELP = """\
Does something with a dataset as a step of a job: `refresh` or `snapshot` it, `query` its latest snapshot (rows as the
step's result, for conditions, mails and webhooks of later steps), or `export` it to files.
"""


def _needs(parameters: DatasetParameters) -> Needs:
    """With other values than its own the dataset is another one, for all that read it."""
    changed = frozenset({("dataset", parameters.dataset)} if parameters.parameters else ())
    return Needs(datasets=(parameters.dataset,), changed=changed)


MANIFEST = Manifest(
    type="dataset",
    title="Use a dataset",
    help=HELP,
    parameters=DatasetParameters,
    entry="agent.drivers.dataset.run:run",
    needs=_needs,
    action_only=True,
    template={"operation": "query", "dataset": "orders", "sql": "SELECT count(*) AS orders FROM orders"},
)
