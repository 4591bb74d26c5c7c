"""The fields of `POST /jobs/create`: read one by one, every fault found, in the document's words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from agent.core.scheduling.limits import JobLimits
from shared.durations import format_duration, parse_duration
from shared.errors import Fault

_INTERVAL = re.compile(r"([0-9]{1,9})\s+(MINUTE|HOUR|DAY)S?", re.IGNORECASE)
_NAMED = {"HOURLY": "1 hour", "DAILY": "1 day", "WEEKLY": "1 week"}
_MOMENT = re.compile(r"[0-9W-]{8,10}(?:[Tt ][0-9:.,]+(?:[Zz]|[+-][0-9:]+)?)?")
_LONGEST_TEXT = 200
_LONGEST_INTERVAL = timedelta(days=3650)
_MOST_COLUMNS = 1000


@dataclass(slots=True)
class Wanted:
    """The fields that are sound; the others keep their empty value."""

    job_name: str = ""
    source_table: str = ""
    kb_name: str = ""
    content_columns: list[str] = field(default_factory=list)
    filter_column: str = ""
    interval: str = ""
    start: datetime | None = None
    end: datetime | None = None

    @property
    def has_whole_source(self) -> bool:
        return bool(self.source_table and self.kb_name and self.content_columns and self.filter_column)


class _Wrong(Exception):
    """A field's fault, on its way to the list."""

    def __init__(self, message: str, code: str = "INVALID_REQUEST") -> None:
        self.message = message
        self.code = code


def read_fields(body: Any, limits: JobLimits) -> tuple[Wanted, list[Fault]]:
    """What the body says, and everything that is wrong with it, in the document's order."""
    wanted, faults = Wanted(), list[Fault]()
    if not isinstance(body, dict):
        return wanted, [Fault("body", "the body must be a JSON object", None, "INVALID_REQUEST")]
    readers = {
        "job_name": _name,
        "source_table": _table,
        "kb_name": _name,
        "content_columns": _columns,
        "filter_column": _name,
        "interval": lambda name, value: _interval(name, value, limits),
        "start_time": _moment,
        "end_time": _moment,
    }
    for name, read in readers.items():
        value = body.get(name)
        try:
            setattr(wanted, name.removesuffix("_time"), read(name, _present(name, value)))
        except _Wrong as wrong:
            faults.append(Fault(name, wrong.message, value, wrong.code))
    return wanted, faults + _window_faults(wanted, limits)


def _present(name: str, value: object) -> object:
    if value is None or value == [] or (isinstance(value, str) and not value.strip()):
        raise _Wrong(f"{name} is required")
    return value


def _name(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"{name} must be a string")
    if len(value.strip()) > _LONGEST_TEXT:
        raise _Wrong(f"{name} must have at most {_LONGEST_TEXT} characters")
    return value.strip()


def _table(name: str, value: object) -> str:
    text = _name(name, value)
    connection, dot, table = text.partition(".")
    if not (connection and dot and table):
        raise _Wrong(f"{name} '{text}' must have the form database.table", "INVALID_TABLE")
    return text


def _columns(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        raise _Wrong(f"{name} must be an array of column names")
    if len(value) > _MOST_COLUMNS:
        raise _Wrong(f"{name} must have at most {_MOST_COLUMNS} names")
    twice = next((each for each in value if value.count(each) > 1), None)
    if twice is not None:
        raise _Wrong(f"{name} names '{twice}' twice")
    return list(value)


def _interval(name: str, value: object, limits: JobLimits) -> str:
    """A simple interval of the core: `10 minutes`."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    match = _INTERVAL.fullmatch(text)
    if match is None and text.upper() not in _NAMED:
        raise _Wrong("invalid interval format", "INVALID_INTERVAL")
    written = _NAMED[text.upper()] if match is None else f"{int(match[1])} {match[2].lower()}s"
    try:
        span = parse_duration(written)
    except ValueError:
        span = timedelta.max
    if limits.min_interval is not None and limits.too_close(span):
        raise _Wrong(f"{name} must be at least {format_duration(limits.min_interval)}", "INVALID_INTERVAL")
    if span > _LONGEST_INTERVAL:
        raise _Wrong(f"{name} must be at most {_LONGEST_INTERVAL.days} days", "INVALID_INTERVAL")
    return written


def _moment(name: str, value: object) -> datetime:
    """UTC; a date alone means the day's first moment, as an end its last."""
    text = value.strip().upper() if isinstance(value, str) else ""
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text)
        if "T" not in text and " " not in text and name == "end_time":
            moment = datetime.combine(moment, time.max)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"{name} must be an ISO 8601 date and time, as in 2025-06-19T18:00:00"
        raise _Wrong(message, "INVALID_DATETIME") from None


def _window_faults(wanted: Wanted, limits: JobLimits) -> list[Fault]:
    if wanted.start is None or wanted.end is None:
        return []
    if wanted.end <= wanted.start:
        message = "end_time must be after start_time"
    elif limits.max_duration is not None and limits.too_long(wanted.start, wanted.end):
        message = f"end_time must be at most {limits.max_duration / timedelta(days=1):g} days after start_time"
    else:
        return []
    return [Fault("end_time", message, None, "INVALID_DATETIME")]
