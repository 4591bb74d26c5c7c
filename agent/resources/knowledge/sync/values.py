"""Values of a filter column and of keys: kept with their type, moved back by a lag, shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from agent.core.driving import DriverError

DEFAULT_LAG = timedelta(minutes=5)

_WRITERS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (bool, "boolean", bool),
    (int, "integer", str),
    (float, "float", repr),
    (Decimal, "decimal", str),
    (str, "text", str),
    (datetime, "timestamp", datetime.isoformat),
    (date, "date", date.isoformat),
    (time, "time", time.isoformat),
    (timedelta, "span", lambda span: str(span // timedelta(microseconds=1))),
    (UUID, "uuid", str),
    (bytes, "bytes", bytes.hex),
)
_READERS: dict[str, Callable[[Any], Any]] = {
    "boolean": bool,
    "integer": int,
    "float": float,
    "decimal": Decimal,
    "text": str,
    "timestamp": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "span": lambda text: timedelta(microseconds=int(text)),
    "uuid": UUID,
    "bytes": bytes.fromhex,
}
_PLAIN = frozenset((str, int, bool, type(None)))
_TIMESTAMP_TEXT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:(?P<gap>[T ])(?P<time>\d\d:\d\d(?P<seconds>:\d\d)?)(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?"
)


def to_json(value: Any) -> dict[str, Any]:
    """`{"type", "value"}`, from which `from_json` makes the same value of the same type."""
    for type_, name, write in _WRITERS:
        if isinstance(value, type_):
            return {"type": name, "value": write(value)}
    raise DriverError(
        "column_type", f"a value of type {type(value).__name__} cannot be a filter value or a key: {value!r:.80}"
    )


def from_json(stored: dict[str, Any]) -> Any:
    return _READERS[stored["type"]](stored["value"])


def before(value: Any, lag: timedelta | float | None) -> Any:
    """`value` moved back by `lag`, in its own type; None stands for the default: 5 minutes for timestamps and dates
    (also those written as text), 0 for all else. Dates move back by whole days, rounded up."""
    try:
        if isinstance(value, datetime):
            return value - _span(lag, value)
        if isinstance(value, date):
            return (datetime.combine(value, time()) - _span(lag, value)).date()
        if isinstance(value, str) and (match := _TIMESTAMP_TEXT.fullmatch(value)):
            return _text_before(match, _span(lag, value))
    except (OverflowError, ValueError):
        return value
    if not lag:
        return value
    return _number_before(value, lag)


def at_most(value: Any, bound: Any) -> bool:
    """Whether value <= bound, as far as Python can tell."""
    try:
        return bool(value <= bound)
    except TypeError:
        return False


def plain(value: Any) -> Any:
    """The value as JSON has it: numbers stay numbers where nothing is lost, all else is text."""
    if type(value) in _PLAIN or isinstance(value, int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, Decimal):
        return _plain_decimal(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    return str(value)


def shown(value: Any) -> str:
    """The value as content has it."""
    return value if type(value) is str else str(plain(value))


def key_text(values: Sequence[Any]) -> str:
    """The key of a row: the one value as text, or a JSON list of several."""
    if len(values) == 1:
        only = plain(values[0])
        if type(only) is int:
            return str(only)
        return only if isinstance(only, str) else json.dumps(only)
    return json.dumps([plain(value) for value in values], ensure_ascii=False)


def _span(lag: timedelta | float | None, value: Any) -> timedelta:
    if lag is None:
        return DEFAULT_LAG
    if isinstance(lag, timedelta):
        return lag
    if lag == 0:
        return timedelta(0)
    raise DriverError("lag", f"the lag {lag} does not fit the filter value {value}; write a span, as in '5 minutes'")


def _number_before(value: Any, lag: timedelta | float) -> Any:
    if isinstance(lag, timedelta) or isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise DriverError(
            "lag", f"the lag does not fit the filter value {value!r}; write a number for numbers, 0 for text"
        )
    if isinstance(value, Decimal):
        return value - Decimal(str(lag))
    return value - lag


def _text_before(match: re.Match[str], span: timedelta) -> str:
    """A timestamp written as text, moved back in exactly its own form: texts compare character by character."""
    if match["time"] is None:
        return (datetime.fromisoformat(match["date"]) - span).date().isoformat()
    fraction = match["fraction"] or ""
    moment = datetime.fromisoformat(f"{match['date']}T{match['time']}{fraction[:7]}") - span
    shown = moment.date().isoformat() + match["gap"] + moment.strftime("%H:%M:%S" if match["seconds"] else "%H:%M")
    digits = f".{moment.microsecond:06d}{fraction[7:]}"[: len(fraction)] if fraction else ""
    return shown + digits + (match["zone"] or "")


def _plain_decimal(value: Decimal) -> int | float | str:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
