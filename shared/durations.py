"""Spans of time as people write them: `30 s`, `1 hour`, `1 day`, `PT2M30S` never."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

_SECONDS = {
    "ms": 0.001,
    "s": 1, "sec": 1, "second": 1,
    "m": 60, "min": 60, "minute": 60,
    "h": 3600, "hr": 3600, "hour": 3600,
    "d": 86400, "day": 86400,
    "w": 604800, "week": 604800,
}  # fmt: skip
_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)
_LONGEST = timedelta(days=3660)


@lru_cache(1024)
def parse_duration(text: str) -> timedelta:
    """`<number> <unit>`, any letter case, singular or plural; ValueError says what would be right."""
    match = _FORM.fullmatch(text)
    unit = match.group(2).lower() if match else ""
    seconds = _SECONDS.get(unit) or _SECONDS.get(unit.removesuffix("s"))
    if match is None or seconds is None:
        raise ValueError(
            f"{text!r} is not a span of time; write a number and a unit, as in '30 s', '10 minutes', '1 day'"
        )
    amount = float(match.group(1)) * seconds
    if amount > _LONGEST.total_seconds():
        raise ValueError(f"{text!r} is longer than ten years")
    return timedelta(seconds=amount)


def format_duration(span: timedelta) -> str:
    """The shortest exact form: `90 s`, `10 minutes`, `1 day`."""
    seconds = span.total_seconds()
    for unit, size in (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds and seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {unit}" + ("s" if count != 1 else "")
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + " s"


def _validate(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return parse_duration(value)
    raise ValueError(f"{value!r} is not a span of time; write a number and a unit, as in '30 s'")


Duration = Annotated[
    timedelta,
    PlainValidator(_validate),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "format": "duration-text", "examples": ["30 s", "10 minutes", "1 day"]}),
]
