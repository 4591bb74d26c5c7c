"""Fires of a moment that are stored before it, all but the commit, their runs laid in workers: at the moment a word is
enough, and so many that are due at once begin at once.

What makes this safe is the store: a transaction that is not committed was never there, for readers and for an agent that
starts after this one died; nobody else writes beside it; and whoever has something to write ends it. Then, and wherever
something is not as it should be, all is decided again when it is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from agent.core.ports import Store
from agent.core.ports.fires import AheadOfTime
from agent.core.records import ClaimedRun, Lease, SettledJob
from agent.core.scheduling.foreseeing import Foreseen
from shared.clock import Clock

LEAST = 50
"""Fewer fires of a moment are stored fast enough when it has come."""
MOST = 1000
_SECONDS_EACH = 0.0006
_FASTEST, _SLOWEST = 0.0004, 0.004
"""Seconds that a fire takes until its order is laid: assumed at first, and taken to be at least and at most."""
_BEFORE = 0.9
"""Seconds before the moment from when on others may have to wait for it."""
_SPARE = 0.1
"""Of these so many are left for whatever comes between."""
_LEEWAY = 1.4
"""How much longer than the last time it may take."""
_LONGEST = 1.5
"""Seconds after which it is dropped, whatever became of the clock."""


class Hands(Protocol):
    """Who has runs begun."""

    def lease(self) -> Lease | None:
        """What workers may be promised now; None: nothing. Until `decide` nothing else is promised."""

    def lay(self, promised: Sequence[ClaimedRun], until: datetime) -> Awaitable[None]: ...

    def decide(self, begin: bool) -> None: ...  # noqa: FBT001


class Readying:
    def __init__(self, store: Store, clock: Clock, hands: Hands, dropped: Callable[[], None]) -> None:
        """`dropped` is called when what was readied will not be."""
        self._store = store
        self._clock = clock
        self._hands = hands
        self._dropped = dropped
        self._ahead: AheadOfTime | None = None
        self._moment: datetime | None = None
        """Of what was readied last: once for each moment."""
        self._begun = False
        """It is being written, or was."""
        self._seconds_each = _SECONDS_EACH

    @property
    def is_ready(self) -> bool:
        return self._ahead is not None

    def lead(self, foreseen: Foreseen) -> float | None:
        """Seconds before the moment at which to begin; None: it is not to be readied (again)."""
        count = min(len(foreseen.settled), MOST)
        if count < LEAST or self._moment == foreseen.moment:
            return None
        return min(_BEFORE, _SPARE + count * self._seconds_each * _LEEWAY)

    async def ready(self, foreseen: Foreseen, left: float) -> int:
        """Write them, as many as can be in `left` seconds, and lay their orders; how many."""
        part = self._part(foreseen, left)
        if not part:
            return 0
        began, self._moment = self._clock.monotonic(), foreseen.moment
        self._begun = False
        ahead = self._ahead = self._store.settle_ahead(part, foreseen.moment, self._lease, self._hear)
        if ahead.over.done():
            self._ahead = None
            return 0
        loop = asyncio.get_running_loop()
        for guard in (loop.call_later(_LONGEST, ahead.drop), loop.call_later(left, self._drop_unless_begun, ahead)):
            ahead.over.add_done_callback(lambda _, guard=guard: guard.cancel())  # type: ignore[misc]
        promised = await ahead.written
        if promised is not None and self._ahead is ahead:
            await self._hands.lay(promised, foreseen.moment)
        taken = (self._clock.monotonic() - began) / len(part)
        self._seconds_each = min(max(taken, _FASTEST), _SLOWEST)
        return len(part) if self._ahead is ahead else 0

    async def begin(self) -> bool:
        """The moment has come. False: nothing was stored."""
        ahead = self._ahead
        if ahead is None:
            return False
        ahead.commit()
        return await ahead.over

    def drop(self) -> None:
        if self._ahead is not None:
            self._ahead.drop()

    def _part(self, foreseen: Foreseen, left: float) -> list[SettledJob]:
        count = min(MOST, int((left - _SPARE / 2) / self._seconds_each))
        return foreseen.settled[:count] if count >= LEAST else []

    def _lease(self) -> Lease | None:
        self._begun = True
        return self._hands.lease()

    def _drop_unless_begun(self, ahead: AheadOfTime) -> None:
        """It goes before nobody; a store that is busy until the moment has no time for it."""
        if not self._begun:
            ahead.drop()

    def _hear(self, kept: bool) -> None:  # noqa: FBT001
        self._ahead = None
        self._hands.decide(kept)
        if not kept:
            self._dropped()
