"""How far a list is loaded, and when to load more."""

from __future__ import annotations

from dataclasses import dataclass

MARGIN = 60
"""Rows below the cursor that should be there before it reaches them: three screens."""


@dataclass(slots=True)
class Window:
    """The lower edge of what is loaded. `position` asks for the next page: a run number (`before`), or for jobs
    the index from which to go on; None while nothing was loaded, and at the end.

    `limit` bounds memory (it stays below World's own, so that what was just loaded is not forgotten at once): beyond
    it nothing more is loaded, `full` says so, and the way on is a narrower filter.
    """

    limit: int = 9_500
    position: int | None = None
    at_end: bool = False
    loading: bool = False
    full: bool = False

    def wants_more(self, cursor: int, rows: int, loaded: int) -> bool:
        """True when the cursor (an index) nears the last of `rows` and there is more to load; `loaded`: kept in all."""
        self.full = loaded >= self.limit and not self.at_end
        return not (self.loading or self.at_end or self.full) and cursor + MARGIN >= rows

    def asked(self) -> int | None:
        """A page is on its way; returns the position to ask it from."""
        self.loading = True
        return self.position

    def took(self, following: int | None) -> None:
        """A page came, and said where the next one begins."""
        self.loading = False
        self.position = following
        self.at_end = following is None

    def failed(self) -> None:
        self.loading = False

    def forgot(self, newest: int) -> None:
        """Runs up to that number were let go: to see them again they must be loaded again."""
        if self.at_end or (self.position is not None and self.position <= newest):
            self.position, self.at_end = newest + 1, False

    def restart(self) -> None:
        """Another filter, or a stream that lost its position."""
        self.position, self.at_end, self.loading, self.full = None, False, False, False
