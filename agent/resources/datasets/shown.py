"""Rows as JSON has them: what it has no word for is text."""

from __future__ import annotations

from typing import Any

from agent.resources.datasets.duck import named

_AS_THEY_ARE = ("BOOLEAN", "VARCHAR", "FLOAT", "DOUBLE", "INTEGER")


def plain_column(name: str, type_: str) -> str:
    """The column as it is selected: decimals, moments and bytes (base64) as text."""
    column = named(name)
    if type_ in _AS_THEY_ARE or (type_.endswith("INT") and not type_.endswith("HUGEINT")):
        return column
    return f"to_base64({column})" if type_ == "BLOB" else f"{column}::VARCHAR AS {column}"


def plain_value(value: Any) -> Any:
    """NaN and infinities are no JSON."""
    return str(value) if isinstance(value, float) and value - value != 0 else value
