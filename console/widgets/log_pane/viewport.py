"""Which rows are on the screen: the line on top, and how many of its rows are above the edge."""

from __future__ import annotations

from collections.abc import Callable, Iterator

HeightOf = Callable[[int], int]
"""How many rows a line takes; 1 unless lines are wrapped."""


class Viewport:
    """Positions in a log of `total` lines; each line is one row or more."""

    def __init__(self, height_of: HeightOf) -> None:
        self.height = 0
        self.total = 0
        self.top = 1
        self.skip = 0
        self._height_of = height_of

    def rows(self) -> Iterator[tuple[int, int]]:
        """(line, its row) from the top of the screen down; fewer than `height` where the log ends."""
        number, part, left = self.top, self.skip, self.height
        while left > 0 and number <= self.total:
            for row in range(part, min(self._height_of(number), part + left)):
                yield number, row
                left -= 1
            number, part = number + 1, 0

    @property
    def last(self) -> int:
        """The lowest line on the screen; 0 when there is none."""
        lowest = 0
        for number, _ in self.rows():
            lowest = number
        return lowest

    @property
    def is_at_end(self) -> bool:
        return (self.top, self.skip) == self._end()

    def move(self, rows: int) -> None:
        """Down, or up when negative; never past the ends."""
        step = self._down if rows > 0 else self._up
        for _ in range(abs(rows)):
            step()
        self.settle()

    def go_to(self, number: int, above: int = 0) -> None:
        """Line `number` with at least `above` rows over it, where there are as many."""
        self.top, self.skip = max(1, min(number, self.total)), 0
        for _ in range(above):
            self._up()
        self.settle()

    def go_to_end(self) -> None:
        self.top, self.skip = self._end()

    def settle(self) -> None:
        """After a change of size, wrapping or content: no emptiness below while there are lines above."""
        self.top = max(1, min(self.top, max(1, self.total)))
        self.skip = min(self.skip, max(0, self._height_of(self.top) - 1)) if self.total else 0
        self.top, self.skip = min((self.top, self.skip), self._end())

    def _down(self) -> None:
        if self.skip + 1 < self._height_of(self.top):
            self.skip += 1
        elif self.top < self.total:
            self.top, self.skip = self.top + 1, 0

    def _up(self) -> None:
        if self.skip > 0:
            self.skip -= 1
        elif self.top > 1:
            self.top -= 1
            self.skip = self._height_of(self.top) - 1

    def _end(self) -> tuple[int, int]:
        """Top and skip with the log's last row on the last row of the screen."""
        number, left = self.total, self.height
        while number >= 1:
            left -= self._height_of(number)
            if left <= 0:
                return number, -left
            number -= 1
        return 1, 0
