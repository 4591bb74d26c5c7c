"""How deeply a value is nested: what goes over the wire and into the store is read by parsers with bounds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

DEEPEST_RESULT = 64
"""Levels of a driver's result."""
DEEPEST_CHECKPOINT = 80
"""Levels of what a run saves: what its steps have brought is in it."""


def is_deeper(value: Any, levels: int) -> bool:
    """Whether there are more than so many lists and objects inside of each other; without end, where one contains
    itself."""
    layer = _inside([value])
    for _ in range(levels):
        if not layer:
            return False
        layer = _inside(part for each in layer for part in (each.values() if isinstance(each, dict) else each))
    return bool(layer)


def _inside(parts: Iterable[Any]) -> list[Any]:
    """The lists and objects, each once."""
    return list({id(part): part for part in parts if isinstance(part, dict | list | tuple)}.values())
