"""A knowledge base as a source of rows: where each came from, its text, its attributes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from agent.core.driving import RunContext
from agent.core.wire import KnowledgeBaseGrant
from agent.resources.datasets.duck import Duck
from agent.resources.datasets.gathering import BATCH, Gathering
from agent.resources.knowledge.file import open_for_reading
from shared.models.dataset import SnapshotColumn

_COLUMNS = ("origin", "key", "text", "attributes")
_ROWS = (
    "SELECT shares.origin, rows.key, rows.text, rows.attributes FROM rows JOIN shares ON shares.id = rows.share"
    " WHERE shares.state = 'live' ORDER BY rows.id"
)


def gather_knowledge(context: RunContext, bench: Duck, grant: KnowledgeBaseGrant) -> list[SnapshotColumn]:
    """All live rows into the table `gathered`; attributes are JSON. An empty base has no rows, and is no error."""
    gathering = Gathering(bench, _COLUMNS)
    try:
        with closing(open_for_reading(Path(grant.path))) as base:
            total = base.execute("SELECT coalesce(sum(row_count), 0) FROM shares WHERE state = 'live'").fetchone()[0]
            cursor = base.execute(_ROWS)
            while rows := cursor.fetchmany(BATCH):
                context.check_cancelled()
                gathering.add(rows)
                context.progress(gathering.rows, max(total, gathering.rows), unit="rows")
    except FileNotFoundError:
        context.log(f"nothing was ever written to '{grant.name}'")
    return gathering.finish()
