"""From text to a filter."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import cast

from shared.filters.faults import BadFilter, near
from shared.filters.fields import FIELDS, ORDER, Field, Fields
from shared.filters.filter import Filter
from shared.filters.terms import NONE, Comparison, Kind, Op, Phrase, Term, Value
from shared.filters.values import read_value
from shared.filters.words import words_of

LONGEST = 2000
"""Characters of a filter."""
MOST_TERMS, MOST_VALUES = 30, 100
"""Terms of a filter, and values of all of them together: each is one more question about every row that is looked at."""

_HEAD = re.compile(r"([A-Za-z_]\w*)(:~|:?<=|:?>=|:?<|:?>|:|=)", re.ASCII)
_BARE = re.compile(r"\S+")
_PLAIN = re.compile(r'[^\s,"]+')
_JOINERS = frozenset({"AND", "OR", "NOT", "&&", "||"})


def parse(text: str, kind: Kind) -> Filter:
    """The filter that `text` says; an empty one matches everything. BadFilter points at what is wrong."""
    return Filter(kind, terms_of(text, FIELDS[kind]))


def terms_of(text: str, fields: Fields) -> tuple[Term, ...]:
    """What `text` says of these fields. BadFilter points at what is wrong."""
    if len(text) > LONGEST:
        raise BadFilter(text[:60], 0, f"the filter has {len(text)} characters, {LONGEST} are allowed")
    if "\0" in text:
        raise BadFilter(text.replace("\0", "?"), text.index("\0"), "a filter cannot hold the character NUL")
    return _Reader(text, fields).terms()


class _Reader:
    """Reads from left to right; `at` is the character that comes next."""

    def __init__(self, text: str, fields: Fields) -> None:
        self.text = text
        self.fields = fields
        self.at = 0
        self._values_read = 0

    def terms(self) -> tuple[Term, ...]:
        terms: list[Term] = []
        while self._skip_spaces():
            if len(terms) == MOST_TERMS:
                raise self._fault(f"a filter has at most {MOST_TERMS} terms; this is one more", self.at)
            terms.append(self._term())
        return tuple(terms)

    def _term(self) -> Term:
        negated = self.text[self.at] == "-"
        self.at += negated
        if self.at == len(self.text) or self.text[self.at].isspace():
            raise self._fault("'-' negates the term behind it; write it without a space, as in -tag:dev", self.at - 1)
        if self.text[self.at] == '"':
            return self._phrase(negated=negated)
        head = _HEAD.match(self.text, self.at)
        if head is not None and not (head[2] == "=" and head[1].lower() not in self.fields):
            return self._test(head, negated=negated)
        return self._word(negated=negated)

    def _phrase(self, *, negated: bool) -> Phrase:
        start = self.at
        words = words_of(self._quoted())
        if not words:
            raise self._fault("nothing to search for: there is no letter or digit within the quotes", start)
        self._expect_space()
        return Phrase(tuple(words), prefix=False, negated=negated)

    def _word(self, *, negated: bool) -> Phrase:
        start = self.at
        match = _BARE.match(self.text, start)
        assert match is not None
        self.at = match.end()
        if match[0] in _JOINERS:
            raise self._fault(
                f"there is no {match[0]}: all terms must hold; alternatives go by commas, as in state:failed,cancelled, "
                f"'-' negates, and quotes search for the word itself",
                start,
            )
        words = words_of(match[0])
        if not words:
            raise self._fault(f"nothing to search for: '{match[0]}' has no letter or digit", start)
        return Phrase(tuple(words), prefix=True, negated=negated)

    def _test(self, head: re.Match[str], *, negated: bool) -> Comparison:
        field = self.fields.get(head[1].lower())
        if field is None:
            hint = near(head[1], self.fields) or f"; there are {', '.join(self.fields)}"
            raise self._fault(
                f"there is no field '{head[1]}'{hint} (to search for the text, put it in quotes)", self.at
            )
        op = self._op(field, head)
        self.at = head.end()
        values = self._values(field, op)
        return Comparison(field.name, op, values, negated)

    def _op(self, field: Field, head: re.Match[str]) -> Op:
        written = head[2] if head[2] in (":", ":~") else head[2].removeprefix(":")
        if written not in field.ops:
            allowed = ", ".join(f"{field.name}{op}" for op in field.ops)
            raise self._fault(f"'{field.name}' cannot be compared by '{head[2]}'; write {allowed}", head.start(2))
        return cast("Op", written)

    def _values(self, field: Field, op: Op) -> tuple[Value, ...]:
        values = [self._value(field, op)]
        while self.at < len(self.text) and self.text[self.at] == ",":
            if op in ORDER:
                raise self._fault(f"'{op}' compares with one value", self.at)
            self.at += 1
            values.append(self._value(field, op))
        self._expect_space()
        return tuple(values)

    def _value(self, field: Field, op: Op) -> Value:
        start = self.at
        self._values_read += 1
        if self._values_read > MOST_VALUES:
            raise self._fault(f"a filter has at most {MOST_VALUES} values; this is one more", start)
        quoted = self.text.startswith('"', start)
        written = self._quoted() if quoted else self._plain()
        if not written:
            raise self._fault(f"a value is missing after '{self.text[:start].split()[-1]}'", start)
        try:
            value = read_value(field, written, quoted=quoted)
        except ValueError as error:
            raise self._fault(str(error), start) from None
        self._check_fit(field, op, value, start)
        return value

    def _check_fit(self, field: Field, op: Op, value: Value, start: int) -> None:
        if value is NONE and op != ":":
            raise self._fault(f"'none' is asked for with ':', as in {field.name}:none", start)
        if isinstance(value, timedelta) and op == ":":
            raise self._fault(f"a span is compared with < or >, as in {field.name}<{self.text[start : self.at]}", start)

    def _plain(self) -> str:
        match = _PLAIN.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match[0]

    def _quoted(self) -> str:
        """What stands in the quotes; a backslash takes the next character as it is."""
        start = self.at
        self.at += 1
        found: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char == '"':
                return "".join(found)
            if char == "\\" and self.at < len(self.text):
                char = self.text[self.at]
                self.at += 1
            found.append(char)
        raise self._fault("these quotes are not closed", start)

    def _skip_spaces(self) -> bool:
        """False at the end of the text."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at < len(self.text)

    def _expect_space(self) -> None:
        if self.at < len(self.text) and not self.text[self.at].isspace():
            raise self._fault(
                "a space is missing here; put a value with quotes, spaces or commas in it in quotes", self.at
            )

    def _fault(self, message: str, position: int) -> BadFilter:
        return BadFilter(self.text, position, message)
