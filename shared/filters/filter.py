"""A filter at work: does this run, this job, match?"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.filters.fields import FIELDS
from shared.filters.reading import phrases_of, texts_of, value_of
from shared.filters.terms import NONE, Comparison, Day, Kind, Op, Phrase, Stretch, Term, Value
from shared.filters.words import holds, words_of
from shared.states import ACTIVE, FINAL, RunState

_ORDER: dict[Op, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    ":": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a run or job does not say of itself: tags and slugs by job id, handles by user id."""

    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    slugs: Mapping[str, str] = field(default_factory=dict)
    handles: Mapping[str, str] = field(default_factory=dict)


NOTHING_KNOWN = Known()


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms that must all hold; none: everything matches."""

    kind: Kind
    terms: tuple[Term, ...] = ()

    def matches(self, item: Any, now: datetime, known: Known = NOTHING_KNOWN) -> bool:
        """`item` is a Run, a Job or an AuditEntry, as the kind says."""
        return all(self._holds(term, item, now, known) != term.negated for term in self.terms)

    def _holds(self, term: Term, item: Any, now: datetime, known: Known) -> bool:
        if isinstance(term, Phrase):
            return any(holds(words_of(text), term.words, prefix=term.prefix) for text in phrases_of(self.kind, item))
        return any(_compare(self.kind, term, value, item, now, known) for value in term.values)


def stretch_of(day: Day, now: datetime) -> Stretch:
    """The day in UTC, as it stands now."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight + timedelta(days=day.offset)
    return Stretch(start, start + timedelta(days=1))


def states_of(word: str) -> frozenset[RunState]:
    """The states that a word of `state:` stands for."""
    groups = {"active": ACTIVE, "finished": FINAL, "cancelling": frozenset({RunState.RUNNING})}
    return groups.get(word) or frozenset({RunState(word)})


def _compare(kind: Kind, test: Comparison, value: Value, item: Any, now: datetime, known: Known) -> bool:
    match FIELDS[kind][test.field].sort:
        case "text":
            return _compare_text(texts_of(kind, test.field, item, known, within=test.op == ":~"), test.op, value)
        case "choice" if test.field == "state":
            return item.state in states_of(str(value)) and (
                value != "cancelling" or item.cancel_requested_at is not None
            )
        case "moment":
            moment = value_of(kind, test.field, item, now)
            return _compare_moment(moment, test.op, value, now, ahead=FIELDS[kind][test.field].ahead)
        case _:
            found = value_of(kind, test.field, item, now)
            return found is None if value is NONE else found is not None and _ORDER[test.op](found, value)


def _compare_text(texts: Sequence[str], op: Op, value: Value) -> bool:
    if value is NONE:
        return not texts
    wanted = str(value).lower()
    if op == ":~":
        return any(wanted in text.lower() for text in texts)
    return any(wanted == text.lower() for text in texts)


def _compare_moment(moment: datetime | None, op: Op, value: Value, now: datetime, *, ahead: bool) -> bool:
    if value is NONE or moment is None:
        return value is NONE and moment is None
    if isinstance(value, timedelta):
        return _ORDER[op](moment - now if ahead else now - moment, value)
    stretch = stretch_of(value, now) if isinstance(value, Day) else value
    assert isinstance(stretch, Stretch)
    match op:
        case "<":
            return moment < stretch.start
        case "<=":
            return moment < stretch.end
        case ">":
            return moment >= stretch.end
        case ">=":
            return moment >= stretch.start
        case _:
            return stretch.start <= moment < stretch.end
