"""What two definitions of a job differ in, and how two edits of one become a third."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from shared.definitions import differences
from shared.models import JobInput
from shared.models.applying import Difference

_PARTS = {"actions": "id", "attachments": "id", "datasets": "alias"}
"""Lists whose elements are known by a field, wherever in the list they stand."""
_PLACE = re.compile(r"actions|datasets|actions\.[^.]+\.attachments")
"""Where they stand; what a driver's parameters call by these names is none."""

Side = Literal["mine", "theirs"]
_Values = Mapping[str, Any]


def changes(before: JobInput, after: JobInput) -> list[Difference]:
    """By dotted path, as the API names fields; an element of a list of parts by its id or alias in place of a number.
    Where parts only changed places, the list itself is named, with their ids."""
    one, other = plain(before), plain(after)
    return [*differences(_by_key(one), _by_key(other)), *_moved("", one, other)]


def plain(definition: JobInput) -> dict[str, Any]:
    return definition.model_dump(mode="json", by_alias=True)


def merge(
    base: JobInput, mine: JobInput, theirs: JobInput, *, prefer: Side | None = None
) -> tuple[dict[str, Any], list[str]]:
    """`mine` with what `theirs` changed since `base`, and the fields that both changed, each to something else.
    Those are as they are in mine, unless `prefer` says otherwise."""
    conflicts: list[str] = []
    return _Merge(conflicts, prefer).objects("", plain(base), plain(mine), plain(theirs)), conflicts


class _Merge:
    def __init__(self, conflicts: list[str], prefer: Side | None) -> None:
        self._conflicts = conflicts
        self._prefer = prefer

    def objects(self, place: str, base: _Values, mine: _Values, theirs: _Values) -> dict[str, Any]:
        names = [*mine, *(name for name in theirs if name not in mine)]
        merged: dict[str, Any] = {}
        for name in names:
            values = base.get(name, _ABSENT), mine.get(name, _ABSENT), theirs.get(name, _ABSENT)
            value = self._value(f"{place}.{name}" if place else name, *values)
            if value is not _ABSENT:
                merged[name] = value
        return merged

    def _value(self, place: str, base: Any, mine: Any, theirs: Any) -> Any:
        if _same(theirs, base) or _same(mine, theirs):
            return mine
        if _same(mine, base):
            return theirs
        key = _PARTS[place.rpartition(".")[2]] if _PLACE.fullmatch(place) else None
        if all(isinstance(each, Mapping) for each in (base, mine, theirs)):
            return self.objects(place, base, mine, theirs)
        if key is not None and _in_one_order(key, base, mine, theirs):
            return list(self.objects(place, *(_keyed(key, each) for each in (base, mine, theirs))).values())
        self._conflicts.append(place)
        return theirs if self._prefer == "theirs" else mine


_ABSENT = object()


def _same(one: Any, other: Any) -> bool:
    return one is other or (one == other and isinstance(one, bool) == isinstance(other, bool))


def _in_one_order(key: str, *lists: Any) -> bool:
    orders = [[part[key] for part in each] for each in lists if isinstance(each, list)]
    return len(orders) == len(lists) and all(order == orders[0] for order in orders)


def _keyed(key: str, parts: Sequence[_Values]) -> dict[str, _Values]:
    return {str(part[key]): part for part in parts}


def _by_key(values: _Values) -> dict[str, Any]:
    return {name: _parts_by_key(name, value) for name, value in values.items()}


def _parts_by_key(name: str, value: Any) -> Any:
    key = _PARTS.get(name)
    if key is None or not isinstance(value, list):
        return value
    return {id_: _by_key(part) for id_, part in _keyed(key, value).items()}


def _moved(place: str, before: _Values, after: _Values) -> Iterator[Difference]:
    for name, key in _PARTS.items():
        one, other = (_keyed(key, values.get(name) or []) for values in (before, after))
        path = f"{place}.{name}" if place else name
        if [id_ for id_ in one if id_ in other] != [id_ for id_ in other if id_ in one]:
            yield Difference(field=path, before=list(one), after=list(other))
        for id_ in one:
            if id_ in other:
                yield from _moved(f"{path}.{id_}", one[id_], other[id_])
