"""What the agent knows of `kb-reset` without importing its code."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.resources.knowledge.sync.parameters import ResetParameters

HELP = """\
Makes a table's share of a knowledge base anew, aside, and swaps it in at the end: until then searches see the old
content, and a failed or cancelled run changes nothing. Shares of other tables are left alone. `mode: refresh` reads
every row again into the content that is there; `mode: clear` empties it without bringing anything in, for which the
knowledge base must be the job's owner's, or shared with the owner as editor. Of several `streams`, `only` names those
that are meant.
"""


def _needs(parameters: ResetParameters) -> Needs:
    connections = dict.fromkeys(table.connection for table in parameters.tables())
    return Needs(
        connections=tuple(connections),
        knowledge_bases=(parameters.knowledge_base,),
        changed=frozenset({("knowledge_base", parameters.knowledge_base)} if parameters.mode == "clear" else ()),
    )


MANIFEST = Manifest(
    type="kb-reset",
    title="Rebuild a table's share of a knowledge base",
    help=HELP,
    parameters=ResetParameters,
    entry="agent.drivers.kb_reset.run:run",
    needs=_needs,
    check="agent.drivers.kb_reset.run:check",
    template={
        "source_table": "orders_db.orders",
        "knowledge_base": "orders_kb",
        "content_columns": ["product", "description"],
        "filter_column": "updated_at",
    },
)
