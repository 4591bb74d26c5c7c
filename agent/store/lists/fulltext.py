"""Full-text search over jobs (name, description) and runs (error message; a run's name is its job's).

SQLite: FTS5. It gets words that `shared.filters.words` has already cut, joined by spaces, and its tokenizer `ascii`
cuts nowhere else; so the store and the console find the same. PostgreSQL: a tsvector column of the same words
('simple' configuration) under a GIN index, and `to_tsquery` with `<->` and `:*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from agent.store.engine.prepared import Prepared
from agent.store.tables import runs
from shared.filters.words import words_of

DDL = (
    "CREATE VIRTUAL TABLE job_text USING fts5(name, description, tokenize = 'ascii')",
    "CREATE VIRTUAL TABLE run_text USING fts5(error, tokenize = 'ascii')",
)


@dataclass(frozen=True, slots=True)
class Among:
    """Runs with numbers from `start` on and below `below`. `gather`: few jobs have the words, so the numbers of all
    that match are gathered first; where many have them, a look at run by run is over sooner."""

    start: int
    below: int
    gather: bool = False


_job_text = sa.table("job_text", sa.column("rowid"), sa.column("name"), sa.column("description"))
_run_text = sa.table("run_text", sa.column("rowid"), sa.column("error"))
_named = runs.alias("named")
_few_named = (
    sa.select(_job_text.c.rowid)
    .where(sa.literal_column("job_text").op("MATCH")(sa.bindparam("said", type_=sa.Text)))
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_NAMED_COUNT = Prepared(sa.select(sa.func.count().label("count")).select_from(_few_named.subquery()))


def index_job(connection: sa.Connection, number: int, name: str, description: str) -> None:
    connection.execute(sa.delete(_job_text).where(_job_text.c.rowid == number))
    row = {"rowid": number, "name": _cut(name), "description": _cut(description)}
    connection.execute(sa.insert(_job_text).values(row))


def index_errors(connection: sa.Connection, messages: Iterable[tuple[int, str]]) -> None:
    """(run number, message) each; replaces what an earlier attempt left."""
    cut = {number: _cut(message) for number, message in messages}
    if cut:
        forget_errors(connection, list(cut))
        connection.execute(sa.insert(_run_text), [{"rowid": number, "error": error} for number, error in cut.items()])


def forget_errors(connection: sa.Connection, numbers: Sequence[int]) -> None:
    if numbers:
        old = sa.delete(_run_text).where(_run_text.c.rowid == sa.bindparam("run_number"))
        connection.execute(old, [{"run_number": number} for number in numbers])


def job_says(number: sa.ColumnElement[int], phrase: Sequence[str], *, prefix: bool) -> sa.ColumnElement[bool]:
    """The job's name or description holds the words."""
    return number.in_(_numbers(_job_text, _query(phrase, prefix=prefix)))


def run_says(phrase: Sequence[str], *, prefix: bool, among: Among | None = None) -> sa.ColumnElement[bool]:
    """The name of the run's job, or its error message, holds the words. `among`: asked of those runs alone."""
    query = _query(phrase, prefix=prefix)
    of_jobs, errors = _numbers(_job_text, f"name : {query}"), _numbers(_run_text, query)
    if among is not None:
        errors = errors.where(_run_text.c.rowid >= among.start, _run_text.c.rowid < among.below)
    if among is None or not among.gather:
        return sa.or_(runs.c.job_number.in_(of_jobs), runs.c.number.in_(errors))
    theirs = sa.select(_named.c.number).where(
        _named.c.job_number.in_(of_jobs), _named.c.number >= among.start, _named.c.number < among.below
    )
    return runs.c.number.in_(sa.union_all(errors, theirs))


def names_at_most(connection: sa.Connection, phrase: Sequence[str], most: int, *, prefix: bool) -> bool:
    """No more jobs than that have the words in their name."""
    [found] = _NAMED_COUNT.rows(connection, {"said": f"name : {_query(phrase, prefix=prefix)}", "most": most + 1})
    return bool(found["count"] <= most)


def run_numbers(phrase: Sequence[str], *, prefix: bool) -> sa.Select[int]:
    """Numbers of the runs whose error message holds the words."""
    return _numbers(_run_text, _query(phrase, prefix=prefix))


def _numbers(table: sa.TableClause, query: str) -> sa.Select[int]:
    return sa.select(table.c.rowid).where(sa.literal_column(table.name).op("MATCH")(query))


def _query(phrase: Sequence[str], *, prefix: bool) -> str:
    return f'"{" ".join(phrase)}"' + (" *" if prefix else "")


def _cut(text: str) -> str:
    return " ".join(words_of(text))
