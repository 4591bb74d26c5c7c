"""Reading few runs of many: which way to go is decided by how much a filter leaves.

A page is read from the newest run down until it is full: quick where a filter lets much through, a walk through
millions where it lets through next to nothing. So it is asked, within bounds, how many runs a term can match at all;
few are then fetched directly. This changes the way, never the answer.
"""

from __future__ import annotations

import sqlalchemy as sa

from agent.store.lists import filtering, fulltext
from agent.store.tables import jobs, runs
from shared.filters import Filter
from shared.filters.terms import Comparison, Phrase, Term

FEW_JOBS = 200
FEW_RUNS = 5000
NAMED = 50

_Condition = sa.ColumnElement[bool]


def narrow(connection: sa.Connection, where: Filter) -> list[int] | None:
    """Numbers of few runs, newest first, with all that match among them; None where no term leaves few."""
    found = (_few(connection, term) for term in where.terms if not term.negated)
    numbers = next((few for few in found if few is not None), None)
    return None if numbers is None else sorted(set(numbers), reverse=True)


def names_few_jobs(connection: sa.Connection, where: Filter) -> bool:
    """Each of its words and phrases stands in the names of few jobs, if of any."""
    phrases = (term for term in where.terms if isinstance(term, Phrase))
    return all(fulltext.names_at_most(connection, each.words, NAMED, prefix=each.prefix) for each in phrases)


def _few(connection: sa.Connection, term: Term) -> list[int] | None:
    """Numbers of all runs that the term can match, or None if they are many."""
    if isinstance(term, Phrase):
        of_jobs = _of_jobs(connection, fulltext.job_says(jobs.c.number, term.words, prefix=term.prefix))
        errors = _at_most(connection, fulltext.run_numbers(term.words, prefix=term.prefix), FEW_RUNS)
        return None if of_jobs is None or errors is None else of_jobs + errors
    if isinstance(term, Comparison) and term.field in filtering.OF_JOBS:
        return _of_jobs(connection, filtering.compile_for_jobs(term))
    return None


def _of_jobs(connection: sa.Connection, condition: _Condition) -> list[int] | None:
    numbers = _at_most(connection, sa.select(jobs.c.number).where(condition), FEW_JOBS)
    if numbers is None:
        return None
    return _at_most(connection, sa.select(runs.c.number).where(runs.c.job_number.in_(numbers)), FEW_RUNS)


def _at_most(connection: sa.Connection, query: sa.Select[int], most: int) -> list[int] | None:
    # Counted first: most often there are too many, and fetching those would take longer than the page.
    count = connection.scalar(sa.select(sa.func.count()).select_from(query.limit(most + 1).subquery())) or 0
    return None if count > most else list(connection.scalars(query))
