"""What stands in a definition or a result, as a person reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> str:
    """`yes`, `12,000`, `a, b`, else JSON; what is not said is a dash."""
    if value is None or value in ("", [], {}):
        return "–"
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case str():
            return value
        case list() if all(isinstance(each, str | int) and not isinstance(each, bool) for each in value):
            return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False, default=str)


def said(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is left open: a form's parts that are all null say nothing."""
    return {key: value for key, value in values.items() if not _is_open(value)}


def _is_open(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_open(each) for each in value.values())
    return value is None or value in ("", [])
