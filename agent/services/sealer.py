"""Closes the log of every run that has ended, however it ended: who follows it then hears of its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from agent.core.ports import LogStore
from agent.services.poller import Poller
from shared.models import Event
from shared.states import FINAL

_LONGEST_REST = 3600.0


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
            await self._logs.seal(self._ended[0])
            self._ended.popleft()
        return _LONGEST_REST
