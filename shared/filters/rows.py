"""The same language over rows of a list that the agent answers whole: its fields are the columns, its values what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.filters.fields import Field, Fields
from shared.filters.parsing import terms_of
from shared.filters.terms import NONE, Comparison, Term, Value
from shared.filters.words import holds, words_of


@dataclass(frozen=True, slots=True)
class RowFilter:
    """`matches` takes what the row says, by column. Bare words search all of it; `column:words` looks for the words
    there, the last of which may go on, and `column:~text` for the text as it stands."""

    terms: tuple[Term, ...] = ()

    def matches(self, texts: Mapping[str, str]) -> bool:
        return all(_holds(term, texts) != term.negated for term in self.terms)


def fields_of(columns: Iterable[str]) -> Fields:
    return {name: Field(name, "text") for name in columns}


def parse_rows(text: str, fields: Fields) -> RowFilter:
    """BadFilter points at what is wrong."""
    return RowFilter(terms_of(text, fields))


def _holds(term: Term, texts: Mapping[str, str]) -> bool:
    if isinstance(term, Comparison):
        return any(_says(texts[term.field], value, within=term.op == ":~") for value in term.values)
    return any(holds(words_of(text), term.words, prefix=term.prefix) for text in texts.values())


def _says(text: str, value: Value, *, within: bool) -> bool:
    if value is NONE:
        return not words_of(text)
    return str(value).lower() in text.lower() if within else holds(words_of(text), words_of(str(value)), prefix=True)
