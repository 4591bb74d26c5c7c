"""What waits to be written, and which of it makes up the next group."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from agent.store.engine.group import Waiting
from agent.store.engine.guarded import guarded

GROUP = 200
"""Most writes in one transaction; beyond it the first would wait too long for its acknowledgement."""
PATIENCE = 0.5
"""Seconds for which a write that is patient may wait behind writes that hurry."""


class Queue:
    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._riders: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, waiting: Waiting) -> None:
        self._waiting.append(waiting)

    def ride(self, rider: Callable[[], None]) -> None:
        """Call `rider` before each group in which something stirs: what it puts goes with that group."""
        self._riders.append(rider)

    def take(self) -> list[Waiting]:
        """The next group."""
        if any(waiting.hurries for waiting in self._waiting):
            taken = self._take_hurried()
        else:
            taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP))]
        return taken + self._ridden() if any(waiting.stirs for waiting in taken) else taken

    def _take_hurried(self) -> list[Waiting]:
        """What waits for nobody, and what has waited long enough, in their order."""
        now = asyncio.get_running_loop().time()
        ready = [each for each in self._waiting if each.patient_until is None or each.patient_until <= now][:GROUP]
        taken = {id(waiting) for waiting in ready}
        self._waiting = deque(waiting for waiting in self._waiting if id(waiting) not in taken)
        return ready

    def _ridden(self) -> list[Waiting]:
        """What the riders put goes behind the group, however many still wait: it has seen all that its commit tells."""
        late, self._waiting = self._waiting, deque()
        for rider in self._riders:
            guarded(rider)
        ridden, self._waiting = list(self._waiting), late
        return ridden
