"""No more than so many repaints a second."""

from __future__ import annotations

from collections.abc import Callable

CallLater = Callable[[float, Callable[[], None]], object]


class Pace:
    """Does the work at the first request at once, and for those within the next `span` seconds once, at its end."""

    def __init__(self, work: Callable[[], None], call_later: CallLater, span: float = 0.2) -> None:
        self._work = work
        self._call_later = call_later
        self._span = span
        self._is_resting = False
        self._is_wanted = False

    def request(self) -> None:
        if self._is_resting:
            self._is_wanted = True
        else:
            self._do()

    def _do(self) -> None:
        self._is_wanted = False
        self._is_resting = True
        self._call_later(self._span, self._wake)
        self._work()

    def _wake(self) -> None:
        self._is_resting = False
        if self._is_wanted:
            self._do()
