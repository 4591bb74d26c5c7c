"""Whether the store takes what it is given. Where it does not (the disk is full), whoever listens hears that at once,
by an event that has no number, for nothing can be stored; the first transaction that is taken again stores both that it
began and that it is over.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from agent.core.trouble import SUBJECT, StoreTrouble, begun, over, told_at_once
from agent.store import events
from shared.clock import Clock
from shared.errors import Unavailable
from shared.models import Event


class Health:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.trouble: StoreTrouble | None = None
        self.wrote_at = float("-inf")
        """By the monotonic clock: when rows were on the disk the last time, as far as that was told."""

    def heed(self, errors: Sequence[BaseException | None], *, stored: bool) -> list[Event]:
        """What became of a group's writes, None for each that was taken; what is to be told because of it. One write
        that is refused beside others says nothing of the disk. `stored`: there were rows to be written for sure."""
        if stored:
            self.wrote_at = self._clock.monotonic()
        refusal = next((error for error in errors if isinstance(error, Unavailable)), None)
        if None in errors:
            self.trouble = None
        elif refusal is not None and self.trouble is None:
            self.trouble = StoreTrouble(refusal.message, self._clock.now())
            return [told_at_once(self.trouble)]
        return []

    def record_end(self, connection: sa.Connection) -> None:
        """Inside a transaction in which something was taken."""
        if self.trouble is None:
            return
        now = self._clock.now()
        for at, data in ((self.trouble.since, begun(self.trouble)), (now, over(self.trouble, now))):
            events.record(connection, "agent.changed", [(events.EVERYBODY, SUBJECT, data)], at)
