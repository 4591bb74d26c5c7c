"""pydantic's errors in Jobdeck's words: what would be right, after the name of the field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from shared.errors import Fault

_ABOUT_PYTHON = re.compile(r"^(?:Value error, |Assertion failed, |(?:[A-Z]\w*|Input)(?: input)? (?=should ))")
"""Of what kind the value is to Python: the field's name stands before it."""
_ALTERNATIVE = re.compile(r"(str|int|float|bool|none|(list|dict)\[.*\]|[A-Z]\w*)")
_RIGHT = "should be "


def faults_in(error: ValidationError, model: type[BaseModel], *before: str, unknown: str) -> list[Fault]:
    """One for each field that is wrong, as a dotted path behind `before`; `unknown` is said of a field that `model`, which
    was to be read, does not have, with those that it has."""
    found = groupby(error.errors(include_url=False), key=_place)
    return [_fault(list(alternatives), place, model, before, unknown) for place, alternatives in found]


def fault_from(found: Mapping[str, Any], *before: str) -> Fault:
    """The place as a dotted path behind `before`; the message; the value, where there is one."""
    value = None if found["type"] == "missing" else found.get("input")  # else it is all that stands around it
    return Fault(".".join([*before, *map(str, found["loc"])]), message_of(found), value, found["type"])


def message_of(found: Mapping[str, Any], *, unknown: str = "is not a known field") -> str:
    """`found` is one of `ValidationError.errors()`; `unknown` is said of a field that should not be there."""
    kind, message = found["type"], str(found["msg"])
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return unknown
    return _ABOUT_PYTHON.sub("", message)


def _place(found: Mapping[str, Any]) -> tuple[int | str, ...]:
    """Of a value that may be of several types pydantic tells an error for each, behind the type's name."""
    *path, last = found["loc"] or ("",)
    is_type = bool(path) and found["type"] != "extra_forbidden" and _ALTERNATIVE.fullmatch(str(last))
    return tuple(path) if is_type else tuple(found["loc"])


def _fault(
    found: Sequence[Mapping[str, Any]],
    place: Sequence[int | str],
    model: type[BaseModel],
    before: Sequence[str],
    unknown: str,
) -> Fault:
    first = found[0]
    if first["type"] == "extra_forbidden":
        unknown += _instead(str(place[-1]), _fields_at(model, place[:-1]))
    message = _joined([message_of(each, unknown=unknown) for each in found])
    value = None if first["type"] == "missing" else first.get("input")
    return Fault(".".join([*before, *map(str, place)]) or "definition", message, value, first["type"])


def _joined(messages: Iterable[str]) -> str:
    first, *others = dict.fromkeys(messages)
    return ", or ".join([first, *(other.removeprefix(_RIGHT) for other in others)])


def _instead(name: str, fields: Sequence[str]) -> str:
    if not fields:
        return ""
    near = difflib.get_close_matches(name, fields, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(fields)}"


def _fields_at(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """What may stand there; none where more than one model may."""
    for part in path:
        field = next((each for name, each in model.model_fields.items() if part in (name, each.alias)), None)
        inner = [each for each in _types_in(field.annotation if field else None) if issubclass(each, BaseModel)]
        if len(inner) != 1:
            return []
        [model] = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _types_in(annotation: Any) -> list[type]:
    """Without those inside containers: what stands in a list has a place of its own."""
    alternatives = get_args(annotation) or (annotation,)
    return [each for each in alternatives if isinstance(each, type)]
