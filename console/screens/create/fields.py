"""Fields of a form, and what is typed in them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shared.errors import InvalidInput

Kind = Literal["text", "lines", "number", "flag", "list", "pairs", "json", "any"]
Source = Literal[
    "", "connections", "tables", "columns", "filter_columns", "knowledge_bases", "zones", "intervals", "attachments"
]


@dataclass(frozen=True, slots=True)
class Option:
    """Something that can be picked instead of typed."""

    value: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """`key` is the place in the definition as faults name it. Options come with the field, or from `source`.

    `is_closed`: nothing but an option is right. `hint` stands where nothing was typed yet.
    """

    key: str
    label: str
    about: str = ""
    kind: Kind = "text"
    source: Source = ""
    options: tuple[Option, ...] = ()
    hint: str = ""
    is_required: bool = False
    is_closed: bool = False

    @property
    def has_lines(self) -> bool:
        """What is typed may be longer than a line: it can be opened in several."""
        return self.kind in {"lines", "any", "json", "pairs"}

    @property
    def is_many(self) -> bool:
        """Several options may be picked."""
        return self.kind == "list" and self.source != ""


def read(field: Field, text: str) -> Any:
    """The value that was typed; None: nothing was. InvalidInput says what would be right."""
    text = text.strip()
    if not text:
        return None
    match field.kind:
        case "lines":
            return read_lines(text)
        case "number":
            return _number(field, text)
        case "flag":
            return _flag(field, text)
        case "list":
            return [_scalar(part) for part in split_list(text)]
        case "pairs":
            return _json(field, text) if text.startswith("{") else _pairs(field, text)
        case "json":
            return _json(field, text)
        case "any":
            return _json(field, text) if text[0] in "[{" else text
    return text


def write(value: Any) -> str:
    """A value as one would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_lines(text: str) -> str:
    r"""Text of several lines from a field of one: `\n` ends a line, `\\` is a backslash."""
    return re.sub(r"\\([n\\])", lambda found: "\n" if found[1] == "n" else "\\", text)


def write_lines(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def split_list(text: str) -> list[str]:
    return [part for part in (each.strip() for each in text.split(",")) if part]


def place_of(fault_field: str, fields: Sequence[Field]) -> Field | None:
    """The field that a fault belongs to: `data.env.A` belongs to `data.env`."""
    fitting = [field for field in fields if f"{fault_field}.".startswith(f"{field.key}.")]
    return max(fitting, key=lambda field: len(field.key), default=None)


def _number(field: Field, text: str) -> int | float:
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        raise InvalidInput.one(field.key, "write a number", text) from None


def _flag(field: Field, text: str) -> bool:
    if text.lower() in {"yes", "y", "true", "on"}:
        return True
    if text.lower() in {"no", "n", "false", "off"}:
        return False
    raise InvalidInput.one(field.key, "write yes or no", text)


def _scalar(text: str) -> str | int:
    return int(text) if text.lstrip("-").isdigit() else text


def _pairs(field: Field, text: str) -> dict[str, str]:
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise InvalidInput.one(field.key, f"{error}; write NAME=value, quoted where there are blanks", text) from None
    wrong = next((part for part in parts if "=" not in part), None)
    if wrong is not None:
        raise InvalidInput.one(field.key, f"{wrong!r} is not NAME=value", text)
    return dict(part.split("=", 1) for part in parts)


def _json(field: Field, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        message = f'is not JSON, as {{"name": "value"}} is: {_reason(error)}'
        raise InvalidInput.one(field.key, message, text) from None


def _reason(error: ValueError) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    return f"{error.msg.lower()} at line {error.lineno}, column {error.colno}"
