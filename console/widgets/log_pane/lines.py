"""The lines that are at hand: a bounded part of a log, kept in blocks, the longest unused going first."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.models import LogLine, LogPage

BLOCK = 500
"""Lines of a block, and the most that one request asks for."""
_BLOCKS = 40


class Lines:
    """Lines by number, counted from 1. `total` is how many there are, as far as is known; it never shrinks."""

    def __init__(self, blocks: int = _BLOCKS) -> None:
        self.total = 0
        self.first_error: int | None = None
        self.is_complete = False
        self._most = blocks
        self._blocks: OrderedDict[int, dict[int, LogLine]] = OrderedDict()

    def __len__(self) -> int:
        """How many are at hand."""
        return sum(map(len, self._blocks.values()))

    def get(self, number: int) -> LogLine | None:
        """None: not at hand, or there is none."""
        block = self._blocks.get(_block_of(number))
        return None if block is None else block.get(number)

    def grow(self, total: int) -> bool:
        """True if there are more than were known."""
        more = total > self.total
        self.total = max(self.total, total)
        return more

    def take(self, page: LogPage) -> None:
        """Keep a page, and what it says of the whole."""
        self.grow(page.total)
        self.first_error = page.first_error
        self.is_complete = page.complete
        for line in page.lines:
            block = self._blocks.setdefault(_block_of(line.number), {})
            block[line.number] = line
        for index in {_block_of(line.number) for line in page.lines}:
            self._blocks.move_to_end(index)

    def gap(self, first: int, last: int) -> tuple[int, int] | None:
        """What to ask for next so that all of `first` to `last` is at hand: (start, count); None: it is."""
        first, last = max(1, first), min(last, self.total)
        for number in range(first, last + 1):
            if self.get(number) is None:
                end = min((_block_of(number) + 1) * BLOCK, self.total)
                return number, end - number + 1
        self._use(first, last)
        return None

    def _use(self, first: int, last: int) -> None:
        """These are looked at: others go before them."""
        for index in range(_block_of(first), _block_of(last) + 1):
            if index in self._blocks:
                self._blocks.move_to_end(index)
        while len(self._blocks) > self._most:
            self._blocks.popitem(last=False)


def _block_of(number: int) -> int:
    return (number - 1) // BLOCK
