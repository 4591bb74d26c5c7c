"""What a file holds, record by record, each with the line that it begins on.

CSV has its own reader here: the standard library's cannot tell an empty field, which is NULL, from a quoted empty text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO

from agent.core.driving import DriverError

LONGEST = 16 * 1024 * 1024
"""Bytes of a record."""
MOST_COLUMNS = 10_000
_FIELD = r'(?:"([^"]*(?:""[^"]*)*)"|([^"{d}]*))({d}|\Z)'


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that cannot be taken, and why; `column` where one of its values is to blame."""

    line: int
    reason: str
    column: str | None = None

    def __str__(self) -> str:
        return (
            f"line {self.line}: {self.reason}"
            if self.column is None
            else f"line {self.line}: {self.column}: {self.reason}"
        )


@dataclass(frozen=True, slots=True)
class Record:
    """`values` in the order of the file's columns; a JSON object as it is."""

    line: int
    values: Sequence[Any] | dict[str, Any]


def read_csv(file: BinaryIO, delimiter: str) -> tuple[list[str], Iterator[Record | Bad]]:
    """The header, and the records behind it. DriverError if there is no header."""
    lines = _csv_lines(file)
    shape = re.compile(_FIELD.replace("{d}", re.escape(delimiter)), re.DOTALL)
    first = next(lines, None)
    header = _fields(first[1].removeprefix(b"\xef\xbb\xbf"), delimiter, shape) if first else None
    if header is None or isinstance(header, str) or not all(header):
        raise DriverError("header", "the file does not begin with a line that names its columns")
    if len(header) > MOST_COLUMNS:
        raise too_wide(len(header))
    names = [str(name) for name in header]
    return names, _csv_records(lines, names, delimiter, shape)


def too_wide(columns: int) -> DriverError:
    return DriverError("header", f"the file has {columns} columns; at most {MOST_COLUMNS} can be taken")


def read_jsonl(file: BinaryIO) -> Iterator[Record | Bad]:
    """One object a line; blank lines are passed over. Numbers with a fraction are decimals: nothing is rounded."""
    number = 0
    while line := file.readline(LONGEST):
        number += 1
        if not line.strip():
            continue
        if len(line) == LONGEST and not line.endswith(b"\n"):
            raise _too_long(number)
        try:
            value = _parsed(line)
        except (ValueError, RecursionError) as error:
            yield Bad(number, f"is no JSON: {error}"[:300])
            continue
        yield Record(number, value) if isinstance(value, dict) else Bad(number, "is no JSON object")


def _csv_records(
    lines: Iterator[tuple[int, bytes]], names: Sequence[str], delimiter: str, shape: re.Pattern[str]
) -> Iterator[Record | Bad]:
    width = len(names)
    for number, line in lines:
        if not line and width > 1:
            continue
        fields = _fields(line, delimiter, shape)
        if isinstance(fields, str):
            yield Bad(number, fields)
        elif len(fields) != width:
            yield Bad(number, f"has {len(fields)} fields, the header has {width}")
        else:
            yield Record(number, fields)


def _csv_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(number of its first line, a record without its end): lines are joined while a quote is open."""
    number, begun, parts, size, is_open = 0, 1, list[bytes](), 0, False
    while line := file.readline(LONGEST):
        number += 1
        if not parts:
            begun = number
        parts.append(line)
        size += len(line)
        is_open ^= bool(line.count(b'"') % 2)
        if size >= LONGEST:
            raise _too_long(begun)
        if not is_open:
            yield begun, _without_end(b"".join(parts))
            parts, size = [], 0
    if parts:
        yield begun, _without_end(b"".join(parts))


def _without_end(record: bytes) -> bytes:
    return record[:-2] if record.endswith(b"\r\n") else record.removesuffix(b"\n")


def _fields(record: bytes, delimiter: str, shape: re.Pattern[str]) -> list[str | None] | str:
    """The fields, or what is wrong with the record."""
    try:
        text = record.decode()
    except UnicodeDecodeError as error:
        return f"is not UTF-8: {error.reason} at byte {error.start + 1} of the record"
    if '"' not in text:
        return [part or None for part in text.split(delimiter)]
    found: list[str | None] = []
    place = 0
    while True:
        match = shape.match(text, place)
        if match is None:
            return f"has a quote out of place in field {len(found) + 1}"
        found.append(match[1].replace('""', '"') if match[1] is not None else (match[2] or None))
        if not match[3]:
            return found
        place = match.end()


def _parsed(line: bytes) -> Any:
    """ValueError for what is no JSON, or holds text that no file could."""
    value = json.loads(line.decode().removeprefix("\ufeff"), parse_float=Decimal, parse_constant=_no_constant)
    if b"\\u" in line:  # half of a surrogate pair is legal in JSON, and in nothing that text goes into
        json.dumps(value, ensure_ascii=False, default=str).encode()
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _too_long(line: int) -> DriverError:
    return DriverError(
        "record_too_long", f"the record that begins on line {line} is longer than {LONGEST} bytes; is a quote missing?"
    )
