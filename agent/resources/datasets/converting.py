"""From what a file holds to what a column takes. ValueError says why a value does not fit."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from uuid import UUID

from agent.resources.datasets.kinds import as_text

Sort = Literal[
    "integer", "float", "decimal", "number", "boolean", "timestamp", "moment", "date", "time", "bytes", "uuid", "json",
    "text", "any",
]  # fmt: skip
"""What a column takes. `moment` has a zone, `timestamp` none; `number` is SQLite's, `any` takes what comes."""

_INTEGER = re.compile(r"[+-]?\d{1,100}")
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def convert(sort: Sort, value: Any) -> Any:
    """NULL fits everywhere."""
    return None if value is None else CONVERTERS[sort](value)


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal) and value == (whole := int(value)):
        return whole
    raise ValueError(f"{_shown(value)} is no whole number")


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(f"{_shown(value)} is no number")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{_shown(value)} is no number") from None


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(f"{_shown(value)} is no number")
    try:
        return Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise ValueError(f"{_shown(value)} is no number") from None


def _number(value: Any) -> int | float:
    """SQLite keeps numbers as whole ones or as floats."""
    if isinstance(value, float):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    return float(_decimal(value))


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"{_shown(value)} is neither true nor false")


def _moment(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else _iso(datetime.fromisoformat, value, "moment")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _timestamp(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else _iso(datetime.fromisoformat, value, "moment")
    if found.tzinfo is not None:
        raise ValueError(f"{_shown(value)} has a zone, and the column has none")
    return found


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    found: date = _iso(date.fromisoformat, value, "date")
    return found


def _time(value: Any) -> time:
    return value if isinstance(value, time) else _iso(time.fromisoformat, value, "time of day")


def _iso(parse: Callable[[str], Any], value: Any, word: str) -> Any:
    try:
        return parse(value.strip() if isinstance(value, str) else value)
    except (ValueError, TypeError):
        raise ValueError(f"{_shown(value)} is no {word} as ISO 8601 writes it") from None


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ValueError(f"{_shown(value)} is no base64") from None


def _uuid(value: Any) -> UUID:
    try:
        return value if isinstance(value, UUID) else UUID(str(value))
    except ValueError:
        raise ValueError(f"{_shown(value)} is no UUID") from None


def _json(value: Any) -> str:
    if not isinstance(value, str):
        return _dumped(value)
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError(f"{_shown(value)} is no JSON") from None
    return value


def _text(value: Any) -> str:
    return _dumped(value) if isinstance(value, dict | list) else as_text(value)


def _any(value: Any) -> Any:
    if isinstance(value, dict | list):
        return _dumped(value)
    return float(value) if isinstance(value, Decimal) else value


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=as_text)


def _shown(value: Any) -> str:
    text = repr(value if isinstance(value, str | int | float) else str(value))
    return text if len(text) <= 80 else f"{text[:79]}…"


CONVERTERS: dict[Sort, Callable[[Any], Any]] = {
    "integer": _integer,
    "float": _float,
    "decimal": _decimal,
    "number": _number,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "moment": _moment,
    "date": _date,
    "time": _time,
    "bytes": _bytes,
    "uuid": _uuid,
    "json": _json,
    "text": _text,
    "any": _any,
}
