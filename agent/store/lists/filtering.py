"""The filter language in SQL: the same answers as `Filter.matches`, which a property test shows.

Every comparison is made to answer true or false, never NULL, so that its negation is what it says.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from agent.store.lists import fulltext
from agent.store.tables import OPEN, job_tags, jobs, runs, sentinels, users
from agent.store.types import micros, to_micros
from shared.filters import Filter
from shared.filters.fields import FIELDS
from shared.filters.filter import states_of, stretch_of
from shared.filters.terms import NONE, Comparison, Day, Kind, Op, Phrase, Stretch, Term, Value

OF_JOBS = frozenset({"name", "job", "tag"})
"""Fields of runs that are asked of their jobs, which are few, and not of the runs, which are many."""

Condition = sa.ColumnElement[bool]
_Matcher = Callable[[sa.ColumnElement[Any]], Condition]
"""Given a text column, the condition that it is the value, or holds it."""

_ORDER: dict[Op, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    ":": operator.eq,
}


def compile_filter(where: Filter, now: datetime, among: fulltext.Among | None = None) -> Condition:
    """A condition on rows of `runs` or `jobs`, as the filter's kind says. `among`: it is asked of those runs alone."""
    return sa.and_(sa.true(), *(_term(where.kind, term, now, among) for term in where.terms))


def compile_for_jobs(term: Comparison) -> Condition:
    """For the fields of runs in OF_JOBS: the condition on rows of `jobs` that they come to."""
    return sa.or_(*(_says(jobs, term, value) for value in term.values))


def _term(kind: Kind, term: Term, now: datetime, among: fulltext.Among | None) -> Condition:
    if isinstance(term, Phrase):
        condition = _phrase(kind, term, among)
    elif term.field == "id" and term.op == ":":
        condition = _among(runs if kind == "run" else jobs, term.values)
    else:
        condition = sa.or_(*(_compare(kind, term, value, now) for value in term.values))
    return sa.not_(condition) if term.negated else condition


def _phrase(kind: Kind, phrase: Phrase, among: fulltext.Among | None) -> Condition:
    if kind == "job":
        return fulltext.job_says(jobs.c.number, phrase.words, prefix=phrase.prefix)
    return fulltext.run_says(phrase.words, prefix=phrase.prefix, among=among)


def _compare(kind: Kind, test: Comparison, value: Value, now: datetime) -> Condition:
    field = FIELDS[kind][test.field]
    match field.sort:
        case "text":
            return _text(kind, test, value)
        case "choice" if test.field == "state":
            return _state(str(value))
        case "moment":
            return _moment(_values(kind, test.field, now), test.op, value, now, ahead=field.ahead)
        case _:
            return _value(_values(kind, test.field, now), test.op, value)


def _state(word: str) -> Condition:
    condition = runs.c.state.in_(sorted(states_of(word)))
    return sa.and_(condition, runs.c.cancel_requested_at.is_not(None)) if word == "cancelling" else condition


# -- values ------------------------------------------------------------------------------------------------------------


def _values(kind: Kind, field: str, now: datetime) -> sa.ColumnElement[Any]:
    """The field as a number (moments and spans in microseconds), NULL where it is not there."""
    if kind == "job":
        return _JOB_VALUES[field]
    if field == "dur":
        ended = sa.func.coalesce(micros(runs.c.finished_at), to_micros(now))
        return ended - micros(runs.c.started_at)
    return _RUN_VALUES[field]


_RUN_VALUES: dict[str, sa.ColumnElement[Any]] = {
    "started": micros(runs.c.started_at),
    "created": micros(runs.c.created_at),
    "finished": micros(runs.c.finished_at),
    "attempt": runs.c.attempt,
    "revision": runs.c.revision,
    "cause": runs.c.cause,
    "progress": sa.case((runs.c.total > 0, runs.c.done * sa.literal(100.0, sa.Double) / runs.c.total)),
}

_JOB_VALUES: dict[str, sa.ColumnElement[Any]] = {
    "enabled": jobs.c.enabled,
    "paused": jobs.c.paused_at.is_not(None),
    "next": micros(jobs.c.due_at),
    "created": micros(jobs.c.created_at),
    "updated": micros(jobs.c.updated_at),
    "revision": jobs.c.revision,
}


def _value(column: sa.ColumnElement[Any], op: Op, value: Value) -> Condition:
    if value is NONE:
        return column.is_(None)
    bare = value // timedelta(microseconds=1) if isinstance(value, timedelta) else value
    if isinstance(bare, bool):
        return column if bare else sa.not_(column)
    return _sure(column, _ORDER[op](column, bare))


def _moment(column: sa.ColumnElement[Any], op: Op, value: Value, now: datetime, *, ahead: bool) -> Condition:
    if isinstance(value, timedelta):
        here = to_micros(now)
        return _value(column - here if ahead else here - column, op, value)
    if value is NONE:
        return column.is_(None)
    stretch = stretch_of(value, now) if isinstance(value, Day) else value
    assert isinstance(stretch, Stretch)
    start, end = to_micros(stretch.start), to_micros(stretch.end)
    within = {
        "<": column < start,
        "<=": column < end,
        ">": column >= end,
        ">=": column >= start,
        ":": sa.and_(column >= start, column < end),
    }
    return _sure(column, within[op])


def _sure(column: sa.ColumnElement[Any], condition: Condition) -> Condition:
    return sa.and_(column.is_not(None), condition)


# -- texts -------------------------------------------------------------------------------------------------------------


def _text(kind: Kind, test: Comparison, value: Value) -> Condition:
    if kind == "job":
        return _says(jobs, test, value)
    if test.field in OF_JOBS:
        return runs.c.job_number.in_(sa.select(jobs.c.number).where(_says(jobs, test, value)).correlate(None))
    return _says(runs, test, value)


def _among(table: sa.Table, ids: Sequence[Value]) -> Condition:
    """Looked up by number: to walk through all rows and compare each with each id takes ten times as long."""
    named = [str(each).lower() for each in ids if each is not NONE]
    return table.c.number.in_(sa.select(table.c.number).where(table.c.id.in_(named)).correlate(None))


def _says(table: sa.Table, test: Comparison, value: Value) -> Condition:
    if value is NONE:
        return sa.not_(_any_text(table, test.field, lambda column: column != "", within=False))
    return _any_text(table, test.field, _matcher(test.op, str(value).lower()), within=test.op == ":~")


def _matcher(op: Op, wanted: str) -> _Matcher:
    if op == ":~":
        return lambda column: _lower(column).contains(wanted, autoescape=True)
    return lambda column: _lower(column) == wanted


def _lower(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return column if column in _LOWER_ALREADY else sa.func.lower(column)


_LOWER_ALREADY = frozenset({jobs.c.name_key, jobs.c.slug, jobs.c.id, runs.c.id})


def _any_text(table: sa.Table, field: str, matcher: _Matcher, *, within: bool) -> Condition:
    """One of the texts of the field satisfies the matcher."""
    texts = _RUN_TEXTS if table is runs else _JOB_TEXTS
    match field:
        case "tag":
            return table.c.number.in_(sa.select(job_tags.c.job_number).where(matcher(job_tags.c.tag)))
        case "sentinel":
            return table.c.number.in_(sa.select(sentinels.c.job_number).where(OPEN, matcher(sentinels.c.kind)))
        case "owner":
            handles = sa.select(users.c.id).where(matcher(users.c.handle))
            return sa.or_(_sure_text(table.c.owner_id, matcher), table.c.owner_id.in_(handles))
        case "error" if within:
            return _one_of([*texts["error"], runs.c.error_message], matcher)
        case _:
            return _one_of(texts[field], matcher)


_RUN_TEXTS: dict[str, Sequence[sa.ColumnElement[Any]]] = {
    "type": [runs.c.type],
    "id": [runs.c.id],
    "worker": [runs.c.worker_id],
    "key": [runs.c.concurrency_key],
    "error": [runs.c.error_kind, runs.c.error_fingerprint],
}

_JOB_TEXTS: dict[str, Sequence[sa.ColumnElement[Any]]] = {
    "name": [jobs.c.name_key],
    "job": [jobs.c.id, jobs.c.name_key, jobs.c.slug],
    "slug": [jobs.c.slug],
    "type": [jobs.c.type],
    "schedule": [jobs.c.interval_type, jobs.c.interval, jobs.c.schedule_text],
    "id": [jobs.c.id],
}


def _one_of(columns: Sequence[sa.ColumnElement[Any]], matcher: _Matcher) -> Condition:
    return sa.or_(*(_sure_text(column, matcher) for column in columns))


def _sure_text(column: sa.ColumnElement[Any], matcher: _Matcher) -> Condition:
    return sa.and_(column.is_not(None), matcher(column))
