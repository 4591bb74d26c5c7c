"""What two definitions differ in, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.models.applying import Difference


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """By field, the fields of `before` first. Lists are compared whole: their places mean nothing."""
    return list(_of_objects("", before, after))


def _of_objects(place: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in [*before, *(name for name in after if name not in before)]:
        yield from _of_values(f"{place}.{name}" if place else name, before.get(name), after.get(name))


def _of_values(place: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_objects(place, before, after)
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield Difference(field=place, before=before, after=after)
