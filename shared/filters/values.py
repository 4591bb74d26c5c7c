"""One value, as the field that it is compared with reads it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from shared.durations import parse_duration
from shared.filters.faults import near
from shared.filters.fields import Field
from shared.filters.terms import NONE, Day, Stretch, Value

_FLAGS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_DAYS = {"today": Day(0), "yesterday": Day(-1), "tomorrow": Day(1)}
_SPAN = re.compile(r"(\d+(?:\.\d+)?\s*[a-z]+\s*)+", re.IGNORECASE)
_PART = re.compile(r"\d+(?:\.\d+)?\s*[a-z]+", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?P<time>[T ]\d{2}:\d{2}(?P<second>:\d{2}(?P<fraction>[.,]\d+)?)?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?", re.IGNORECASE)  # fmt: skip


def read_value(field: Field, text: str, *, quoted: bool) -> Value:
    """ValueError says what would be right."""
    if text.lower() == "none" and not quoted and field.may_be_absent:
        return NONE
    match field.sort:
        case "text":
            return text
        case "choice":
            return _choice(field, text)
        case "flag":
            return _flag(field, text)
        case "number":
            return _number(field, text)
        case "span":
            return _span(field, text)
        case "moment":
            return _moment(field, text)


def _choice(field: Field, text: str) -> str:
    if text.lower() not in field.choices:
        hint = near(text, field.choices) or f"; it is one of {', '.join(field.choices)}"
        raise ValueError(f"'{text}' is no {field.name}{hint}")
    return text.lower()


def _flag(field: Field, text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError(f"'{text}' is neither yes nor no; write {field.name}:yes or {field.name}:no")
    return _FLAGS[text.lower()]


def _number(field: Field, text: str) -> float:
    if not re.fullmatch(r"\d{1,15}(\.\d{1,9})?%?", text, re.ASCII):
        raise ValueError(f"'{text}' is not a number; write it as in {field.name}>2")
    return float(text.removesuffix("%"))


def _span(field: Field, text: str) -> timedelta:
    span = _read_span(text)
    if span is None:
        raise ValueError(f"'{text}' is not a span of time; write a number and a unit, as in {field.name}>10m")
    return span


def _moment(field: Field, text: str) -> Value:
    found: Value | None = _read_span(text)
    if found is None:
        found = _DAYS.get(text.lower()) or _read_stretch(text)
    if found is None:
        raise ValueError(
            f"'{text}' is neither a span nor a date; write {field.name}<2h or {field.name}>2026-03-01 or {field.name}:today"
        )
    return found


def _read_span(text: str) -> timedelta | None:
    if not _SPAN.fullmatch(text):
        return None
    try:
        return sum((parse_duration(part) for part in _PART.findall(text)), timedelta())
    except ValueError:
        return None


def _read_stretch(text: str) -> Stretch | None:
    """A date is a day, a time to the minute a minute, to the second a second, to a fraction that very moment."""
    match = _DATE.fullmatch(text)
    if match is None or (match["zone"] and not match["time"]):
        return None
    try:
        start = datetime.fromisoformat(text.upper().replace(",", "."))
        start = start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)
        return Stretch(start, start + _length(match))
    except (ValueError, OverflowError):
        return None


def _length(match: re.Match[str]) -> timedelta:
    if match["fraction"]:
        return timedelta(microseconds=1)
    if match["second"]:
        return timedelta(seconds=1)
    return timedelta(minutes=1) if match["time"] else timedelta(days=1)
