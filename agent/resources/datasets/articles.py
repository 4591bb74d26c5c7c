"""Records of a file as rows of a knowledge base: what tells them apart, their text, what they can be filtered by."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.core.driving import DriverError
from agent.resources.datasets.arrival import Arrival, Opened, hint, mapping_of
from agent.resources.datasets.converting import Sort, convert
from agent.resources.datasets.intake import Chunk, Line
from agent.resources.datasets.records import Bad, Record
from agent.resources.knowledge.sync.values import key_text, plain, shown
from agent.resources.knowledge.writing import KnowledgeRow


@dataclass(frozen=True, slots=True)
class Content:
    """Which columns play which part. `attributes` None: all simple ones that are no text; `nested`: one whose values
    are objects of attributes."""

    keys: Sequence[str]
    texts: Sequence[str]
    attributes: Sequence[str] | None = None
    nested: str | None = None
    types: Mapping[str, Sort] = field(default_factory=dict)
    """By the file's names."""


class Articles:
    """DriverError `unknown_column` for parts that the file has no column for."""

    def __init__(self, file: Opened, arrival: Arrival, content: Content) -> None:
        mapping = mapping_of(file, arrival, None)
        _check(content, mapping, objects=file.header is None)
        self._content = content
        self._header = file.header
        self._renamed = None if arrival.columns is None else mapping
        self._types = [(mapping.get(name, name), sort) for name, sort in content.types.items()]
        self._no_attributes = {*content.texts, content.nested}

    def take(self, records: Sequence[Record | Bad]) -> Chunk:
        """A KnowledgeRow is each line's only value."""
        lines, bad = list[Line](), dict[int, Bad]()
        for place, record in enumerate(records):
            if isinstance(record, Bad):
                bad[place] = record
                continue
            try:
                lines.append(Line(place, record.line, [self._row(self._named(record))]))
            except _Misfit as misfit:
                bad[place] = Bad(record.line, misfit.reason, misfit.column)
        return Chunk(len(records), lines, bad)

    def _named(self, record: Record) -> Mapping[str, Any]:
        values = record.values
        found = values if isinstance(values, dict) else dict(zip(self._header or (), values, strict=True))
        if self._renamed is None:
            return found
        return {to: found[name] for name, to in self._renamed.items() if name in found}

    def _row(self, values: Mapping[str, Any]) -> KnowledgeRow:
        if self._types:
            typed = {name: _converted(name, sort, values[name]) for name, sort in self._types if name in values}
            values = {**values, **typed}
        return KnowledgeRow(self._key(values), self._text(values), self._attributes(values))

    def _key(self, values: Mapping[str, Any]) -> str:
        parts = [values.get(name) for name in self._content.keys]
        for name, part in zip(self._content.keys, parts, strict=True):
            if part is None or part == "":
                raise _Misfit("is empty, and tells rows apart", name)
            if isinstance(part, dict | list):
                raise _Misfit("tells rows apart, and is an object or a list", name)
        return key_text(parts)

    def _text(self, values: Mapping[str, Any]) -> str:
        text = "\n".join(shown(values[name]) for name in self._content.texts if values.get(name) is not None)
        if not text or text.isspace():
            raise _Misfit("has no text", self._content.texts[0])
        return text

    def _attributes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        nested = self._nested(values)
        if self._content.attributes is not None:
            return {**{name: plain(values.get(name)) for name in self._content.attributes}, **nested}
        simple = {
            name: plain(value)
            for name, value in values.items()
            if name not in self._no_attributes and not isinstance(value, dict | list)
        }
        return {**simple, **nested}

    def _nested(self, values: Mapping[str, Any]) -> dict[str, Any]:
        column = self._content.nested
        value = values.get(column) if column else None
        if value is None:
            return {}
        try:
            found = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise _Misfit("is no JSON object", column)
        return {str(name): plain(one) for name, one in found.items()}


class _Misfit(Exception):
    def __init__(self, reason: str, column: str | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column


def _converted(name: str, sort: Sort, value: Any) -> Any:
    try:
        return convert(sort, value)
    except ValueError as error:
        raise _Misfit(str(error), name) from None


def _check(content: Content, mapping: Mapping[str, str], *, objects: bool) -> None:
    """That the file has a column for each part. Objects may lack what others have: of them a key, and some text."""
    names = list(mapping.values())
    _require("key_columns", content.keys, names)
    if not objects or not any(name in names for name in content.texts):
        _require("content_columns", content.texts, names)
    if not objects:
        _require("attribute_columns", content.attributes or (), names)
        _require("attributes_from", [content.nested] if content.nested else (), names)
        _require("types", list(content.types), list(mapping))


def _require(part: str, names: Sequence[str], known: Sequence[str]) -> None:
    missing = next((name for name in names if name not in known), None)
    if missing is not None:
        raise DriverError("unknown_column", f"`{part}`: the file has no column '{missing}'; {hint(missing, known)}")
