"""Closes the log of every run that has ended, however it ended: who follows it then hears of its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import islice

from agent.core.ports import LogStore
from agent.services.poller import Poller
from shared.models import Event
from shared.states import FINAL

_LONGEST_REST = 3600.0
_AT_ONCE = 200
_MOMENT = 0.02
"""Seconds."""


class Sealer(Poller):
    def __init__(self, logs: LogStore) -> None:
        super().__init__()
        self._logs = logs
        self._ended: deque[str] = deque()

    def hear(self, events: Sequence[Event]) -> None:
        ended = [event.subject_id for event in events if event.kind == "run.changed" and event.data["state"] in FINAL]
        if ended:
            self._ended += ended
            self.wake()

    async def poll(self) -> float:
        while self._ended:
            some = list(islice(self._ended, _AT_ONCE))
            await self._logs.seal(*some)
            for _ in some:
                self._ended.popleft()
        return _LONGEST_REST

    async def _rest(self, seconds: float) -> bool:
        """What ends within a moment is one visit to the logs."""
        woken = await super()._rest(seconds)
        if self._ended:
            await asyncio.sleep(_MOMENT)
        return woken
