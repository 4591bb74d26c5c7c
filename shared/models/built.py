"""Models of values that were checked before: built without checks."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)
_SLOTS = vars(BaseModel)
_set_values, _set_fields = _SLOTS["__dict__"].__set__, _SLOTS["__pydantic_fields_set__"].__set__
_set_extra, _set_private = _SLOTS["__pydantic_extra__"].__set__, _SLOTS["__pydantic_private__"].__set__


def built(model: type[M], values: dict[str, Any]) -> M:
    """As `model_construct` does it, given every field in its order: that looks for aliases and defaults, and takes longer
    than reading the row."""
    made = model.__new__(model)
    _set_values(made, values)
    _set_fields(made, _every_field(model))
    _set_extra(made, None)
    _set_private(made, None)
    return made


@cache
def _every_field(model: type[BaseModel]) -> set[str]:
    """One for all that are built: who sets a field of theirs adds a name that is there."""
    return set(model.model_fields)
