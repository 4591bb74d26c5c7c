"""Suggestions for a filter bar."""

from __future__ import annotations

import re

from shared.filters.fields import FIELDS, Field, Fields
from shared.filters.terms import Kind

_HEAD = re.compile(r"(-?)([A-Za-z_]\w*)(:~|:?<=|:?>=|:?<|:?>|:)", re.ASCII)
_EXAMPLES = {
    "span": ("10s", "1m", "10m", "1h"),
    "moment": ("1h", "1d", "7d", "today"),
    "flag": ("yes", "no"),
}


def word_at(text: str, cursor: int) -> tuple[int, int]:
    """Start and end of the term that the cursor stands in, or right behind; quotes hold a term together."""
    start, quoted = 0, False
    for at, char in enumerate(text[:cursor]):
        quoted ^= char == '"'
        if char.isspace() and not quoted:
            start = at + 1
    end = cursor
    while end < len(text) and (quoted or not text[end].isspace()):
        quoted ^= text[end] == '"'
        end += 1
    return start, end


def complete(text: str, cursor: int, kind: Kind | Fields) -> list[str]:
    """Terms that could stand where `word_at` is, given what is written up to the cursor; best first."""
    fields = FIELDS[kind] if isinstance(kind, str) else kind
    start, _ = word_at(text, cursor)
    written = text[start:cursor]
    head = _HEAD.match(written)
    if head is None:
        return _names(written, fields)
    field = fields.get(head[2].lower())
    return _values(field, head[0], head[3], written[head.end() :]) if field else []


def _names(written: str, fields: Fields) -> list[str]:
    minus = written[: written.startswith("-")]
    begun = written.removeprefix("-").lower()
    return [f"{minus}{field.name}{field.ops[0]}" for field in fields.values() if field.name.startswith(begun)]


def _values(field: Field, head: str, op: str, begun: str) -> list[str]:
    before, comma, last = begun.rpartition(",")
    choices = _choices(field, op)
    taken = before.lower().split(",")
    return [
        f"{head}{before}{comma}{choice}"
        for choice in choices
        if choice.startswith(last.lower()) and choice != last.lower() and choice not in taken
    ]


def _choices(field: Field, op: str) -> list[str]:
    if op != ":":
        return [choice for choice in _EXAMPLES.get(field.sort, ()) if choice[0].isdigit() or field.sort != "span"]
    examples = [choice for choice in _EXAMPLES.get(field.sort, ()) if not choice[0].isdigit()]
    return [*field.choices, *examples, *(["none"] if field.may_be_absent else [])]
