"""What the agent knows of `corpus-replace-filter-attrs` without importing its code."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.corpus_replace_filter_attrs.parameters import ReplaceParameters

HELP = """\
Replaces the attributes that searches of a knowledge base filter by; nothing is embedded again. `keep` or `drop` say
which are shown, `map` gives values others, `rename` gives names others, `set` adds one with the same value everywhere,
`columns` reads some from the table again. Names are those that the source has.

Until the end searches see the old attributes, from then on the new ones, of all rows at once. It lasts: syncs and
resets show what they bring in the same way. The next replacement begins from what the source has, not from this one,
and takes its place; `restore: true` ends it. A run that was killed goes on where it was; syncs, resets and rebuilds of
the same knowledge base wait for it, and it for them.
"""


def _needs(parameters: ReplaceParameters) -> Needs:
    connections = (parameters.connection,) if parameters.connection else ()
    return Needs(
        connections=connections,
        knowledge_bases=(parameters.knowledge_base,),
        changed=frozenset({("knowledge_base", parameters.knowledge_base)}),
    )


MANIFEST = Manifest(
    type="corpus-replace-filter-attrs",
    title="Replace the attributes that searches filter by",
    help=HELP,
    parameters=ReplaceParameters,
    entry="agent.drivers.corpus_replace_filter_attrs.run:run",
    needs=_needs,
    check="agent.drivers.corpus_replace_filter_attrs.reading:check",
    template={
        "knowledge_base": "orders_kb",
        "origin": "orders_db.orders",
        "rename": {"cust_id": "customer"},
        "map": {"status": {"P": "paid", "O": "open"}},
        "set": {"region": "eu"},
        "drop": ["internal_note"],
    },
)
