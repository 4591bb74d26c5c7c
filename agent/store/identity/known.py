"""What each request asks again, remembered for as long as nothing that it depends on is written.

What a committed transaction has told takes effect here before whoever wrote it hears that it is written: a token that
somebody was told is revoked opens nothing. An agent has its store for itself, so nobody else writes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from shared.models import Event, EventKind

T = TypeVar("T")
_MOST = 10_000
"""Answers that are kept."""


class Known(Generic[T]):
    """Answers by key, until an event of one of the kinds."""

    def __init__(self, *until: EventKind) -> None:
        self._until = frozenset(until)
        self._answers: dict[str, T] = {}
        self._changes = 0

    def hear(self, news: Sequence[Event]) -> None:
        """To be subscribed to the writer."""
        if any(event.kind in self._until for event in news):
            self._changes += 1
            self._answers.clear()

    async def ask(self, key: str, read: Callable[[], Awaitable[T | None]]) -> T | None:
        """What was read before, else what is read now. That there is nothing is not kept: anybody can ask for that."""
        known = self._answers.get(key)
        if known is not None:
            return known
        changes = self._changes
        found = await read()
        if found is not None and changes == self._changes:  # else it may be of before the change
            if len(self._answers) >= _MOST:
                self._answers.clear()
            self._answers[key] = found
        return found
