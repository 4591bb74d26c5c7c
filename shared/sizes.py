"""Amounts of bytes as people write them: `64 MB`, `1.5 GB`, `512 MiB`. MB are powers of 1000, MiB powers of 1024."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

_BYTES = {
    "b": 1, "byte": 1, "bytes": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_WRITTEN = (("TB", 10**12), ("TiB", 2**40), ("GB", 10**9), ("GiB", 2**30), ("MB", 10**6), ("MiB", 2**20), ("kB", 10**3),
            ("KiB", 2**10))  # fmt: skip
_SHOWN = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)
_EXAMPLES = "write a number and a unit, as in '64 MB', '1.5 GB', '512 MiB'"


def parse_size(text: str) -> int:
    """`<number> <unit>` in bytes, any letter case; ValueError says what would be right."""
    match = _FORM.fullmatch(text)
    unit = _BYTES.get(match.group(2).lower()) if match else None
    if match is None or unit is None:
        raise ValueError(f"{text!r} is not an amount of bytes; {_EXAMPLES}")
    return round(Decimal(match.group(1)) * unit)


def format_size(size: int) -> str:
    """The shortest exact form, which `parse_size` reads: `64 MB`, `512 MiB`, `1234 bytes`."""
    exact = [(size // unit, name) for name, unit in _WRITTEN if size and size % unit == 0]
    count, name = min(exact, default=(size, "byte" if size == 1 else "bytes"))
    return f"{count} {name}"


def show_size(size: int, beside: int = 0) -> str:
    """Rounded for people: `80 MB`, `1.2 GB`; with as many digits as tell it from `beside`."""
    name, unit = next(((name, unit) for name, unit in _SHOWN if size >= unit), ("bytes", 1))
    if unit == 1:
        return f"{size} {name}"
    for digits in range(10):
        shown = round(size / unit, digits)
        if (digits >= (shown < 10) or shown == size / unit) and (size == beside or shown != beside / unit):
            break
    return f"{shown:.{digits}f} {name}"


def _validate(value: object) -> int:
    if isinstance(value, str):
        return parse_size(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{value!r} is not an amount of bytes; {_EXAMPLES}")


Size = Annotated[
    int,
    PlainValidator(_validate),
    PlainSerializer(format_size, return_type=str),
    WithJsonSchema({"type": "string", "format": "size-text", "examples": ["64 MB", "1.5 GB", "512 MiB"]}),
]
