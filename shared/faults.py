"""pydantic's errors in Jobdeck's words: what would be right, after the name of the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.errors import Fault

_ABOUT_PYTHON = ("Value error, ", "Assertion failed, ", "Input ")


def message_of(found: Mapping[str, Any], *, unknown: str = "is not a known field") -> str:
    """`found` is one of `ValidationError.errors()`; `unknown` is said of a field that should not be there."""
    kind, message = found["type"], str(found["msg"])
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return unknown
    for prefix in _ABOUT_PYTHON:
        message = message.removeprefix(prefix)
    return message


def fault_from(found: Mapping[str, Any], *before: str) -> Fault:
    """The place as a dotted path behind `before`; the message; the value, where there is one."""
    value = None if found["type"] == "missing" else found.get("input")  # else it is all that stands around it
    return Fault(".".join([*before, *map(str, found["loc"])]), message_of(found), value, found["type"])
