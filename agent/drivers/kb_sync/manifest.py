"""What the agent knows of `kb-sync` without importing its code."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.resources.knowledge.sync.parameters import SyncParameters

HELP = """\
Brings rows of a table into a knowledge base and keeps it so: each run reads the rows whose filter value is at or
after the last one seen (less `lag`), embeds what changed and skips the rest. A run that was killed goes on where its
last batch ended; every row is in the knowledge base once, as it is in the source.

A filter column cannot see deletions, nor changes that leave it alone: `compare: full` compares the whole table.
Rows whose filter value is NULL are counted and reported. `source_table` is `connection.table` or
`connection.schema.table`. A table without a primary key needs `key_columns`. Several tables go into one job as
`streams`; one that fails keeps none of the others from going on.
"""


def _needs(parameters: SyncParameters) -> Needs:
    connections = dict.fromkeys(table.connection for table in parameters.tables())
    return Needs(connections=tuple(connections), knowledge_bases=(parameters.knowledge_base,))


MANIFEST = Manifest(
    type="kb-sync",
    title="Sync a table into a knowledge base",
    help=HELP,
    parameters=SyncParameters,
    entry="agent.drivers.kb_sync.run:run",
    needs=_needs,
    check="agent.drivers.kb_sync.run:check",
    template={
        "source_table": "orders_db.orders",
        "knowledge_base": "orders_kb",
        "content_columns": ["product", "description"],
        "filter_column": "updated_at",
    },
)
