"""Columns, and which of them fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Align = Literal["left", "right", "center"]
GAP = 1
_LEAST = 10
"""To what a column with `flex` shrinks before one goes that the row cannot do without."""


@dataclass(frozen=True, slots=True)
class Column:
    """`width` is fixed, or the least width when `flex` (a weight in sharing what is left) is above 0.

    When the terminal is too narrow, columns go by `priority`, the highest number first, the rightmost of equals first;
    before one goes whose priority is 0, those with `flex` shrink. The most important one always stays.
    """

    key: str
    title: str
    width: int
    flex: int = 0
    priority: int = 0
    align: Align = "left"
    sortable: bool = False


class Placed(NamedTuple):
    """A column as it is drawn; `place` is that among all columns, and so of its cell in a row."""

    column: Column
    place: int
    x: int
    width: int


def place_columns(columns: Sequence[Column], width: int, left: int = 0) -> tuple[Placed, ...]:
    """The columns that fit between column `left` and `width` of the screen, with their places and widths."""
    kept = _choose(columns, width - left)
    widths = _share(kept, width - left)
    placed, x = [], left
    for (index, column), size in zip(kept, widths, strict=True):
        placed.append(Placed(column, index, x, size))
        x += size + GAP
    return tuple(placed)


def _choose(columns: Sequence[Column], width: int) -> list[tuple[int, Column]]:
    kept = list(enumerate(columns))
    while len(kept) > 1:
        last = max(kept, key=lambda item: (item[1].priority, item[0]))
        spare = 0 if last[1].priority else sum(_give(column) for _, column in kept)
        if _needed(kept) - spare <= width:
            break
        kept.remove(last)
    return kept


def _needed(kept: Sequence[tuple[int, Column]]) -> int:
    return sum(column.width for _, column in kept) + GAP * (len(kept) - 1)


def _give(column: Column) -> int:
    """By how much it can shrink."""
    return max(0, column.width - _LEAST) if column.flex else 0


def _share(kept: Sequence[tuple[int, Column]], width: int) -> list[int]:
    """What is left goes to the columns by their `flex`; what is missing is taken from what they can give."""
    spare = width - _needed(kept)
    portions = [column.flex if spare > 0 else _give(column) for _, column in kept]
    weights = sum(portions)
    widths, taken, seen = [], 0, 0
    for (_, column), portion in zip(kept, portions, strict=True):
        seen += portion
        upto = spare * seen // weights if weights else 0
        widths.append(max(0, min(column.width + upto - taken, width)))
        taken = upto
    return widths
