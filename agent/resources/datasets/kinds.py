"""Which DuckDB type holds what a source hands over: found from the values themselves, widened as they come.

Sources that have types of their own (PostgreSQL) and those that have none (SQLite: any value in any column) are met
alike. Nothing is rounded: where two kinds do not fit into one type without loss, the column becomes text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

BIGINT, DOUBLE, TEXT, BLOB = "BIGINT", "DOUBLE", "VARCHAR", "BLOB"
NAIVE, AWARE = "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_DIGITS = 38
_EXACT = 2**53
_INT64 = 2**63

_PLAIN: dict[type, str] = {
    bool: "BOOLEAN",
    float: DOUBLE,
    str: TEXT,
    bytes: BLOB,
    date: "DATE",
    UUID: "UUID",
}


class Kind:
    """What a column has held so far. `type` None: only NULLs."""

    def __init__(self, hint: str | None = None) -> None:
        self.hint = hint
        self.type = hint if hint and _DECIMAL.fullmatch(hint) else None
        self.mixed = False
        """Values of kinds that fit into no one type: the column is text."""
        self._largest = 0

    @property
    def final(self) -> str:
        return self.type or self.hint or TEXT

    def admit(self, values: Sequence[Any]) -> Sequence[Any]:
        """Widen the type so that it holds these too; the values as the type takes them."""
        classes = set(map(type, values)) - {type(None)}
        if not classes:
            return values
        if len(classes) > 1 or not classes <= _PLAIN.keys():
            values, classes = _normalised(values, classes)
        for each in classes:
            self._widen(self._type_of(each, values))
        return self._fitting(values, classes)

    def _type_of(self, class_: type, values: Sequence[Any]) -> str:
        if class_ is int:
            return self._integer([value for value in values if type(value) is int])
        if class_ is Decimal:
            return _decimal_type([value for value in values if type(value) is Decimal])
        if class_ is datetime:
            return _moment_type([value for value in values if type(value) is datetime])
        return "TIME" if class_ is time else _PLAIN[class_]

    def _integer(self, values: list[int]) -> str:
        self._largest = max(self._largest, max(values), -min(values))
        if self._largest < _INT64:
            return BIGINT
        return f"DECIMAL({_DIGITS},0)" if self._largest < 10**_DIGITS else TEXT

    def _widen(self, other: str) -> None:
        if self.type is None or self.type == other:
            self.type = other
            return
        widened = _wider(self.type, other, exact=self._largest <= _EXACT)
        self.mixed = self.mixed or widened in (TEXT, BLOB)
        self.type = widened

    def _fitting(self, values: Sequence[Any], classes: set[type]) -> Sequence[Any]:
        if self.type == TEXT and classes != {str}:
            return [value if value is None else as_text(value) for value in values]
        if self.type == BLOB and classes != {bytes}:
            return [value if value is None or type(value) is bytes else as_text(value).encode() for value in values]
        return values


def as_text(value: Any) -> str:
    """Any value as its text; the same that the other formats use."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    return str(value)


def span_text(span: timedelta) -> str:
    """An interval that DuckDB and PostgreSQL read again, to the microsecond."""
    micros = span // timedelta(microseconds=1)
    sign, micros = ("-" if micros < 0 else ""), abs(micros)
    seconds, fraction = divmod(micros, 1_000_000)
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}"


def _normalised(values: Sequence[Any], classes: set[type]) -> tuple[Sequence[Any], set[type]]:
    """The values with what DuckDB has no type for as text, and the classes that are left."""
    changes = {class_: change for class_ in classes if (change := _change_of(class_)) is not None}
    if changes or time in classes:
        values = [_changed(value, changes) for value in values]
    return values, set(map(type, values)) - {type(None)}


def _changed(value: Any, changes: dict[type, Callable[[Any], Any]]) -> Any:
    change = changes.get(type(value))
    if change is not None:
        return change(value)
    return value.isoformat() if type(value) is time and value.tzinfo else value


def _change_of(class_: type) -> Callable[[Any], Any] | None:
    if class_ in _PLAIN or class_ in (int, Decimal, datetime, time):
        return None
    for base, change in _CHANGES:
        if issubclass(class_, base):
            return change
    return str


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=as_text)


_CHANGES: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((dict, list, tuple), _as_json),
    ((bytearray, memoryview), bytes),
    (timedelta, span_text),
    (bool, bool),
    (int, int),
    (float, float),
    (datetime, lambda moment: datetime.fromisoformat(moment.isoformat())),
    (str, str.__str__),
)


def _decimal_type(values: list[Decimal]) -> str:
    if not all(value.is_finite() for value in values):
        return TEXT
    scale = max(max(0, -int(value.as_tuple().exponent)) for value in values)
    whole = max(max(0, value.adjusted() + 1) for value in values)
    return _decimal(whole, scale)


def _moment_type(values: list[datetime]) -> str:
    aware = sum(1 for value in values if value.tzinfo is not None)
    if aware == 0:
        return NAIVE
    return AWARE if aware == len(values) else TEXT


def _wider(one: str, other: str, *, exact: bool) -> str:
    both = {one, other}
    if both <= {BIGINT, "BOOLEAN"}:
        return BIGINT
    if both == {BIGINT, DOUBLE} and exact:
        return DOUBLE
    decimals = [_parts(each) for each in both]
    if all(decimals):
        return _decimal(max(whole for whole, _ in filter(None, decimals)), max(s for _, s in filter(None, decimals)))
    return BLOB if BLOB in both else TEXT


def _parts(type_: str) -> tuple[int, int] | None:
    """(digits before, digits after the point) of an exact number."""
    if type_ == BIGINT:
        return 19, 0
    found = _DECIMAL.fullmatch(type_)
    return (int(found[1]) - int(found[2]), int(found[2])) if found else None


def _decimal(whole: int, scale: int) -> str:
    digits = max(whole + scale, 1)
    return f"DECIMAL({digits},{scale})" if digits <= _DIGITS else TEXT
