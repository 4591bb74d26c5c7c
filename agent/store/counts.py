"""How many runs there are, by state and type, however many millions.

Those that are over are counted as they end, by triggers in the very transaction: right after any crash, whichever code
moved them. Those that are not are few, and are counted when asked, in an index; counting them as well would triple
what every run pays (measured: 4 µs each as it is).
SQLite has one writer, so nobody waits for the row of a count. On PostgreSQL agents would, and each needs its own row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import sqlalchemy as sa

from agent.store.tables import run_counts, runs
from shared.filters import Filter
from shared.filters.filter import states_of
from shared.filters.terms import NONE, Comparison, Phrase, Term
from shared.states import ACTIVE

_COUNT_UP = (
    "INSERT INTO run_counts (account_id, type, state, count) VALUES (NEW.account_id, NEW.type, NEW.state, 1) "
    "ON CONFLICT (account_id, type, state) DO UPDATE SET count = count + 1"
)
_COUNT_DOWN = (
    "UPDATE run_counts SET count = count - 1 "
    "WHERE account_id = OLD.account_id AND type = OLD.type AND state = OLD.state"
)
_ENDS = "NEW.finished_at IS NOT NULL"
_WAS_ACTIVE = "OLD.finished_at IS NULL"
DDL = (
    f"CREATE TRIGGER run_counts_insert AFTER INSERT ON runs WHEN {_ENDS} BEGIN {_COUNT_UP}; END",
    f"CREATE TRIGGER run_counts_update AFTER UPDATE OF state ON runs WHEN {_ENDS} AND {_WAS_ACTIVE} BEGIN {_COUNT_UP}; END",
    f"CREATE TRIGGER run_counts_delete AFTER DELETE ON runs WHEN NOT ({_WAS_ACTIVE}) BEGIN {_COUNT_DOWN}; END",
)

_FINISHED = sa.select(run_counts.c.type, run_counts.c.state, run_counts.c.count)
_UNFINISHED = (
    sa.select(runs.c.type, runs.c.state, sa.func.count())
    .where(runs.c.state.in_(sorted(ACTIVE)))
    .group_by(runs.c.type, runs.c.state)
)


def by_state(connection: sa.Connection, account_id: str, where: Filter | None = None) -> Counter[str] | None:
    """All runs of the account that match; None if the filter asks for more than states and types."""
    terms = [] if where is None else list(where.terms)
    if not all(_is_known(term) for term in terms):
        return None
    found: Counter[str] = Counter()
    for table, query in ((run_counts, _FINISHED), (runs, _UNFINISHED)):
        for type_, state, count in connection.execute(query.where(table.c.account_id == account_id)):
            if all(_holds(term, type_, state) for term in terms):
                found[state] += count
    return found


def says_only_states(where: Filter | None) -> bool:
    terms = () if where is None else where.terms
    return all(_is_known(term) and isinstance(term, Comparison) and term.field == "state" for term in terms)


def of_states(found: Mapping[str, int], where: Filter | None) -> dict[str, int]:
    """Those of the states that such a filter lets through."""
    terms = () if where is None else where.terms
    return {state: count for state, count in found.items() if all(_holds(term, "", state) for term in terms)}


def _is_known(term: Term) -> bool:
    if isinstance(term, Phrase) or NONE in term.values:
        return False
    return term.field == "type" or (term.field == "state" and "cancelling" not in term.values)


def _holds(term: Term, type_: str, state: str) -> bool:
    assert isinstance(term, Comparison)
    if term.field == "state":
        holds = any(state in states_of(str(value)) for value in term.values)
    elif term.op == ":~":
        holds = any(str(value).lower() in type_.lower() for value in term.values)
    else:
        holds = any(str(value).lower() == type_.lower() for value in term.values)
    return holds is not term.negated


def finished(connection: sa.Connection) -> int:
    """All that are over, of all accounts."""
    return int(connection.scalar(sa.select(sa.func.sum(run_counts.c.count))) or 0)
