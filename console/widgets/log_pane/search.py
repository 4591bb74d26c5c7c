"""Looking through a log that is not at hand: the agent looks, a while for each answer, so that it can be stopped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.models import LogHits, LogPage
    from shared.models.run import LogLevel

Load = Callable[[int, int], Awaitable["LogPage"]]
"""(start, count) -> lines from number `start` on; a negative start counts from the end."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Lines with a text, in any letter case, or those of a level."""

    text: str = ""
    level: LogLevel | None = None

    @property
    def name(self) -> str:
        return f"“{self.text}”" if self.text else str(self.level)


Search = Callable[[Wanted, int, bool], Awaitable["LogHits"]]
"""(what, start, backwards) -> the nearest such line, or how far it is known that there is none."""
Tell = Callable[[int], None]


async def find(search: Search, wanted: Wanted, start: int, direction: int, tell: Tell) -> int | None:
    """Number of the nearest line from `start` on, down or (direction -1) up; `tell` hears how far the search is."""
    place: int | None = start
    while place is not None and place >= 1:
        hits = await search(wanted, place, direction < 0)
        if hits.hits:
            return hits.hits[0].number
        place = hits.next
        if place is not None:
            tell(place)
    return None


def not_found(wanted: Wanted, direction: int | None) -> str:
    """What is told of it, with the key that looks the other way; None: all was looked through."""
    if direction is None:
        return f"no {wanted.name} anywhere"
    forth, back = ("n", "N") if wanted.text else ("e", "E")
    place, other = ("below", f"{back} looks above") if direction > 0 else ("above", f"{forth} looks below")
    return f"no {wanted.name} {place}; {other}"
