"""How many runs there are, by state and type, however many millions.

Those that are over are counted as they end, by triggers in the very transaction: right after any crash, whichever code
moved them. Those that are not are few, and are counted when asked, in an index; counting them as well would triple
what every run pays (measured: 8 µs each as it is).
Who is no administrator sees those of some jobs, so they are counted by job as well.
SQLite has one writer, so nobody waits for the row of a count. On PostgreSQL agents would, and each needs its own row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from agent.store.engine.prepared import Prepared, Row
from agent.store.permissions.visibility import ACCOUNT, SEEN_BY, Condition, numbers_seen, run_seen_by
from agent.store.tables import job_counts, run_counts, runs
from shared.filters import Filter
from shared.filters.filter import states_of
from shared.filters.terms import NONE, Comparison, Phrase, Term
from shared.states import ACTIVE, FINAL, RunState

_COUNT_UP = (
    "INSERT INTO run_counts (account_id, type, state, count) VALUES (NEW.account_id, NEW.type, NEW.state, 1) "
    "ON CONFLICT (account_id, type, state) DO UPDATE SET count = count + 1; "
    "INSERT INTO job_counts (job_number, type, state, count) VALUES (NEW.job_number, NEW.type, NEW.state, 1) "
    "ON CONFLICT (job_number, type, state) DO UPDATE SET count = count + 1;"
)
_COUNT_DOWN = (
    "UPDATE run_counts SET count = count - 1 "
    "WHERE account_id = OLD.account_id AND type = OLD.type AND state = OLD.state; "
    "UPDATE job_counts SET count = count - 1 "
    "WHERE job_number = OLD.job_number AND type = OLD.type AND state = OLD.state;"
)
_ENDS = "NEW.finished_at IS NOT NULL"
_WAS_ACTIVE = "OLD.finished_at IS NULL"
DDL = (
    f"CREATE TRIGGER run_counts_insert AFTER INSERT ON runs WHEN {_ENDS} BEGIN {_COUNT_UP} END",
    f"CREATE TRIGGER run_counts_update AFTER UPDATE OF state ON runs WHEN {_ENDS} AND {_WAS_ACTIVE} BEGIN {_COUNT_UP} END",
    f"CREATE TRIGGER run_counts_delete AFTER DELETE ON runs WHEN NOT ({_WAS_ACTIVE}) BEGIN {_COUNT_DOWN} END",
)


def _words(states: Iterable[RunState]) -> list[tuple[str, sa.ColumnElement[str]]]:
    return [(state, sa.literal_column(f"'{state}'")) for state in sorted(states)]


_of_jobs_seen = job_counts.c.job_number.in_(numbers_seen(ACCOUNT, SEEN_BY))
_FINISHED_SEEN = Prepared(
    sa.select(job_counts.c.type, job_counts.c.state, sa.func.sum(job_counts.c.count).label("count"))
    .where(_of_jobs_seen)
    .group_by(job_counts.c.type, job_counts.c.state)
)
# As many sums as there are states: to group thousands of rows takes three times as long.
_FINISHED_SEEN_BY_STATE = Prepared(
    sa.select(
        *(
            sa.func.sum(job_counts.c.count).filter(job_counts.c.state == word).label(state)
            for state, word in _words(FINAL)
        )
    ).where(_of_jobs_seen)
)
_of_account = run_counts.c.account_id == ACCOUNT
_unfinished = (runs.c.account_id == ACCOUNT, runs.c.state.in_([word for _, word in _words(ACTIVE)]))
_no_type = sa.literal_column("''", sa.Text).label("type")


def _active(*seen: Condition) -> sa.Select[Any]:
    query = sa.select(runs.c.type, runs.c.state, sa.func.count().label("count"))
    return query.where(*_unfinished, *seen).group_by(runs.c.type, runs.c.state)


_ALL = Prepared(
    sa.select(run_counts.c.type, run_counts.c.state, run_counts.c.count).where(_of_account).union_all(_active())
)
_ALL_BY_STATE = Prepared(
    sa.select(_no_type, run_counts.c.state, sa.func.sum(run_counts.c.count).label("count"))
    .where(_of_account)
    .group_by(run_counts.c.state)
    .union_all(sa.select(_no_type, runs.c.state, sa.func.count()).where(*_unfinished).group_by(runs.c.state))
)
_UNFINISHED_SEEN = Prepared(_active(*run_seen_by(SEEN_BY)))


def by_state(
    connection: sa.Connection, account_id: str, where: Filter | None = None, seen_by: str | None = None
) -> Counter[str] | None:
    """All runs that match and that the user may see; None if the filter asks for more than states and types."""
    terms = [] if where is None else list(where.terms)
    if not all(_is_known(term) for term in terms):
        return None
    return _counted(connection, account_id, terms, seen_by)


def at_most(connection: sa.Connection, account_id: str, where: Filter, seen_by: str | None) -> int:
    """No more runs than that match, by what the filter says of states and types."""
    known = [term for term in where.terms if _is_known(term)]
    return _counted(connection, account_id, known, seen_by).total()


def _counted(connection: sa.Connection, account_id: str, terms: Sequence[Term], seen_by: str | None) -> Counter[str]:
    types_matter = any(isinstance(term, Comparison) and term.field == "type" for term in terms)
    found: Counter[str] = Counter()
    for row in _kept(connection, {"account": account_id, "seen_by": seen_by}, types_matter=types_matter):
        if all(_holds(term, row["type"], row["state"]) for term in terms):
            found[row["state"]] += row["count"]
    return found


def _kept(connection: sa.Connection, given: Mapping[str, str | None], *, types_matter: bool) -> list[Row]:
    if given["seen_by"] is None:
        return (_ALL if types_matter else _ALL_BY_STATE).rows(connection, given)
    active = _UNFINISHED_SEEN.rows(connection, given)
    if types_matter:
        return _FINISHED_SEEN.rows(connection, given) + active
    [sums] = _FINISHED_SEEN_BY_STATE.rows(connection, given)
    return [{"type": "", "state": state, "count": count or 0} for state, count in sums.items()] + active


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
