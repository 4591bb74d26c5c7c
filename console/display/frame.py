"""A screen as cells: for each its character and its pen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.segment import Segment

from console.display.pen import PLAIN, Pen, blank_pen, pen_of
from console.render.safe import drop_controls


@lru_cache(4096)
def split_cells(text: str) -> tuple[str, ...]:
    """One entry a cell. A wide character is followed by an empty entry; what has no width joins the cell before it."""
    if text.isascii() and text.isprintable():
        return tuple(text)
    text = drop_controls(text)
    cells: list[str] = []
    for start, end, width in split_graphemes(text)[0]:
        if width:
            cells.append(text[start:end])
            cells.extend([""] * (width - 1))
        elif cells:
            cells[-1] += text[start:end]
    return tuple(cells)


class Frame:
    """`width` × `height` cells, plain blanks at first."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.characters = [[" "] * width for _ in range(height)]
        self.pens = [[PLAIN] * width for _ in range(height)]

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    def put(self, x: int, y: int, segments: Iterable[Segment], colors: ColorSystem) -> None:
        """Draw segments into row `y` from column `x`; what does not fit is cut off."""
        if not 0 <= y < self.height:
            return
        characters: list[str] = []
        pens: list[Pen] = []
        for text, style, control in segments:
            if control:
                raise ValueError("a control sequence is not a cell")
            cells = split_cells(text)
            characters.extend(cells)
            pens.extend([pen_of(style, colors)] * len(cells))
        pens = [blank_pen(pen) if cell == " " else pen for cell, pen in zip(characters, pens, strict=True)]
        self._place(x, y, characters, pens)

    def _place(self, x: int, y: int, characters: list[str], pens: list[Pen]) -> None:
        left, right = max(x, 0), min(x + len(characters), self.width)
        if left >= right:
            return
        row = self.characters[y]
        row[left:right] = characters[left - x : right - x]
        self.pens[y][left:right] = pens[left - x : right - x]
        self._mend(y, left)
        self._mend(y, right)

    def _mend(self, y: int, edge: int) -> None:
        """No half of a wide character may stand alone at an edge that was just drawn."""
        row = self.characters[y]
        if edge < self.width and row[edge] == "" and (edge == 0 or not _is_wide(row[edge - 1])):
            row[edge] = " "
        if edge > 0 and _is_wide(row[edge - 1]) and (edge == self.width or row[edge] != ""):
            row[edge - 1] = " "


@lru_cache(4096)
def _is_wide(cell: str) -> bool:
    return len(cell) > 0 and not cell.isascii() and len(split_cells(cell)) > 1


@lru_cache(4096)
def has_certain_width(cell: str) -> bool:
    """False where terminals disagree on how far the cursor moves: joined characters and emoji."""
    return len(cell) <= 1 and (not _is_wide(cell) or "\u2e80" <= cell <= "\uffef")
