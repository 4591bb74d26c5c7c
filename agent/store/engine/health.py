"""Whether the store takes what it is given. Where it does not (the disk is full), whoever listens hears that at once,
by an event that has no number, for nothing can be stored; the first transaction that is taken again stores both that it
began and that it is over.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from agent.core.trouble import SUBJECT, StoreTrouble, begun, over, told_at_once
from agent.store import events
from shared.clock import Clock
from shared.errors import Unavailable
from shared.models import Event

ROOM = 1_000_000
"""Bytes that must be free before a store that was refused works again: small writes find their place in what is left of
a full disk, and the next large one would be refused."""


def room_beside(path: Path) -> Callable[[], bool]:
    """Whether the disk of that file has room again."""
    return partial(_has_room, path.parent)


class Health:
    def __init__(self, clock: Clock, has_room: Callable[[], bool] = lambda: True) -> None:
        self._clock = clock
        self._has_room = has_room
        self._is_over = False
        self.trouble: StoreTrouble | None = None
        self.wrote_at = float("-inf")
        """By the monotonic clock: when rows were on the disk the last time, as far as that was told."""

    def heed(self, errors: Sequence[BaseException | None], *, stored: bool) -> list[Event]:
        """What became of a group's writes, None for each that was taken; what is to be told because of it. One write
        that is refused beside others says nothing of the disk. `stored`: there were rows to be written for sure."""
        if stored:
            self.wrote_at = self._clock.monotonic()
        refusal = next((error for error in errors if isinstance(error, Unavailable)), None)
        is_over, self._is_over = self._is_over, False
        if None in errors:
            self.trouble = None if is_over else self.trouble
        elif refusal is not None and self.trouble is None:
            self.trouble = StoreTrouble(refusal.message, self._clock.now())
            return [told_at_once(self.trouble)]
        return []

    def ends(self) -> bool:
        """Whether it is over once what was taken now is on the disk: to be recorded with it."""
        self._is_over = self.trouble is not None and self._has_room()
        return self._is_over

    def record_end(self, connection: sa.Connection) -> None:
        """In the transaction that ends it."""
        assert self.trouble is not None, "see `ends`"
        now = self._clock.now()
        for at, data in ((self.trouble.since, begun(self.trouble)), (now, over(self.trouble, now))):
            events.record(connection, "agent.changed", [(events.EVERYBODY, SUBJECT, data)], at)


def _has_room(folder: Path) -> bool:
    return shutil.disk_usage(folder).free >= ROOM
