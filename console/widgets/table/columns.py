"""Columns, and which of them fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Align = Literal["left", "right", "center"]
GAP = 1


@dataclass(frozen=True, slots=True)
class Column:
    """`width` is fixed, or the least width when `flex` (a weight in sharing what is left) is above 0.

    When the terminal is too narrow, columns go by `priority`, the highest number first, the rightmost of equals first;
    the most important one always stays.
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
    while len(kept) > 1 and _needed(kept) > width:
        kept.remove(max(kept, key=lambda item: (item[1].priority, item[0])))
    return kept


def _needed(kept: Sequence[tuple[int, Column]]) -> int:
    return sum(column.width for _, column in kept) + GAP * (len(kept) - 1)


def _share(kept: Sequence[tuple[int, Column]], width: int) -> list[int]:
    spare, weights = max(0, width - _needed(kept)), sum(column.flex for _, column in kept)
    widths, taken, seen = [], 0, 0
    for _, column in kept:
        seen += column.flex
        upto = spare * seen // weights if weights else 0
        widths.append(max(0, min(column.width + upto - taken, width)))
        taken = upto
    return widths
