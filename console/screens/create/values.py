"""From a definition that is there to the texts of its form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from console.screens.create.fields import Field, write, write_lines


def value_at(values: Mapping[str, Any], path: str) -> Any:
    """What stands at that place; None: nothing."""
    found: Any = values
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def fits(field: Field, value: Any) -> bool:
    """A list with commas within its parts cannot be typed as one."""
    return field.kind != "list" or all("," not in str(each) for each in value or ())


def text_of(field: Field, value: Any) -> str:
    """The value as one would type it into the field."""
    if field.kind == "lines" and isinstance(value, str):
        return write_lines(value)
    if field.kind in ("any", "json", "pairs") and isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return write(value)
