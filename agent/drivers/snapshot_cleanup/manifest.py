"""What the agent knows of `snapshot-cleanup` without importing its code."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.snapshot_cleanup.parameters import CleanupParameters

HELP = """\
Drops snapshots of datasets: those beyond the newest `keep_count`, and those older than `keep_age`. The latest snapshot
of a dataset stays always. Each refresh does the same by the dataset's own `keep`; this is for datasets that are
refreshed often, or by other rules.
"""


def _needs(parameters: CleanupParameters) -> Needs:
    return Needs(
        datasets=tuple(parameters.datasets), changed=frozenset(("dataset", name) for name in parameters.datasets)
    )


MANIFEST = Manifest(
    type="snapshot-cleanup",
    title="Drop old snapshots",
    help=HELP,
    parameters=CleanupParameters,
    entry="agent.drivers.snapshot_cleanup.run:run",
    needs=_needs,
    template={"datasets": ["orders"], "keep_count": 5, "keep_age": "30 days"},
)
