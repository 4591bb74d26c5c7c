"""Looking through a log that is not at hand: page by page, so that it can be stopped between any two."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.models import LogLine, LogPage

PAGE = 5_000
"""Lines of one request; the most that the agent gives."""

Load = Callable[[int, int], Awaitable["LogPage"]]
"""(start, count) -> lines from number `start` on; a negative start counts from the end."""
Matches = Callable[["LogLine"], bool]
Tell = Callable[[int], None]


async def find_below(load: Load, start: int, matches: Matches, tell: Tell) -> int | None:
    """Number of the first line from `start` on that matches; `tell` hears how far it is."""
    while True:
        page = await load(start, PAGE)
        for line in page.lines:
            if matches(line):
                return line.number
        if not page.lines or page.lines[-1].number >= page.total:
            return None
        start = page.lines[-1].number + 1
        tell(start)


async def find_above(load: Load, start: int, matches: Matches, tell: Tell) -> int | None:
    """The same upwards, from `start` to the first line."""
    while start >= 1:
        first = max(1, start - PAGE + 1)
        page = await load(first, start - first + 1)
        for line in reversed(page.lines):
            if matches(line):
                return line.number
        start = first - 1
        tell(start)
    return None


def has_text(needle: str) -> Matches:
    """Literal, in any letter case."""
    wanted = needle.casefold()
    return lambda line: wanted in line.text.casefold()


def is_error(line: LogLine) -> bool:
    return line.level == "error"
