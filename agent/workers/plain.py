"""What a driver's code hands over, as JSON has it: whatever it is, it is said."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import to_json, to_jsonable_python

DEEPEST = 100
"""Levels of what is looked at piece by piece."""


def plain(value: Any) -> Any:
    """Moments as ISO 8601, sets as lists, bytes as UTF-8, models as objects; all that JSON has nothing for as its text."""
    try:
        return to_jsonable_python(value, fallback=text_of)
    except ValueError:  # bytes that are no text, what contains itself, keys of any kind
        return _pieces(value, DEEPEST)


def encode(event: dict[str, Any]) -> bytes:
    """One line of JSON; lone surrogates are `?`."""
    try:
        return to_json(event) + b"\n"
    except ValueError:
        return json.dumps(plain(event), ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def text_of(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # a driver's own class may do anything
        return f"<{type(value).__name__} without a text: {type(error).__name__}>"


def _pieces(value: Any, levels: int) -> Any:
    if levels == 0:
        return "…"
    if isinstance(value, dict):
        return {text_of(key): _pieces(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_pieces(item, levels - 1) for item in value]
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    try:
        return to_jsonable_python(value, fallback=text_of)
    except ValueError:
        return text_of(value)
