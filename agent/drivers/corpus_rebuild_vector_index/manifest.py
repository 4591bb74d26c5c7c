"""What the agent knows of `corpus-rebuild-vector-index` without importing its code."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.corpus_rebuild_vector_index.parameters import RebuildParameters

HELP = """\
Makes the vector index of a knowledge base anew. A search by the index compares some hundred rows instead of all, and
what is newer than the index besides, so nothing that a sync brings in has to wait for the next rebuild. Worth it from
some ten thousand rows on; run it once a day or after a `kb-reset`, whose new content the old index does not know.

It is built aside, in memory (about three quarters of a kilobyte for each row of 256 dimensions), measured against an
exact search, and put in place at the end: until then searches go on with what was there, and a run that fails, is
cancelled or killed changes nothing. An index whose recall is below `recall_floor` is not taken. Syncs, resets and
replacements of the same knowledge base wait for it, and it for them.
"""


def _needs(parameters: RebuildParameters) -> Needs:
    return Needs(knowledge_bases=(parameters.knowledge_base,))


MANIFEST = Manifest(
    type="corpus-rebuild-vector-index",
    title="Rebuild a knowledge base's vector index",
    help=HELP,
    parameters=RebuildParameters,
    entry="agent.drivers.corpus_rebuild_vector_index.run:run",
    needs=_needs,
    template={"knowledge_base": "orders_kb", "recall_floor": 0.95},
)
