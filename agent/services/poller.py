"""The shape of every background duty: poll, rest, poll again; a wake-up ends the rest."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

import structlog

_log = structlog.get_logger()
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


class Poller(ABC):
    """`poll` does what is to be done now and returns the seconds until there may be more. A poll that fails is
    told and tried again, later each time: no duty ever ends by an error."""

    def __init__(self) -> None:
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.failing: str | None = None
        """Why the last poll failed, or None."""

    @abstractmethod
    async def poll(self) -> float: ...

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=type(self).__name__)

    def wake(self) -> None:
        self._wake.set()

    async def stop(self) -> None:
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            self._wake.clear()
            try:
                rest = await self.poll()
                pause, self.failing = _FIRST_PAUSE, None
            except Exception as error:
                self.failing = str(error) or type(error).__name__
                _log.error(
                    "duty_failed", duty=type(self).__name__, error=self.failing, next_try_in=pause, exc_info=True
                )
                rest, pause = pause, min(pause * 2, _LONGEST_PAUSE)
            await self._rest(rest)

    async def _rest(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return
