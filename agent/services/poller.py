"""The shape of every background duty: poll, rest, poll again; a wake-up ends the rest."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

import structlog

from shared.errors import JobdeckError

_log = structlog.get_logger()
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
"""Seconds between tries while polls fail; when what they need is back, everything goes on within the longest."""
_TOLD_EVERY = 12
"""Tries after which a failure that lasts is told again."""


class Poller(ABC):
    """`poll` does what is to be done now and returns the seconds until there may be more. A poll that fails is
    told and tried again, later each time: no duty ever ends by an error."""

    def __init__(self) -> None:
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.failing: str | None = None
        """Why the last poll failed, or None."""
        self._failures = 0
        """Polls that failed since one succeeded."""

    @abstractmethod
    async def poll(self) -> float: ...

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=type(self).__name__)

    def wake(self) -> None:
        self._wake.set()

    async def stop(self) -> None:
        if self._task is None:
            return
        self._stopping = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                rest = await self.poll()
            except Exception as error:
                rest = self._failed(error)
            else:
                self._succeeded()
            await self._rest(rest)

    def _failed(self, error: Exception) -> float:
        """Seconds until the next try. A failure is told when it is new, and then now and then: a disk that is full for
        hours is not filled by what is said of it."""
        reason = str(error) or type(error).__name__
        pause = min(_FIRST_PAUSE * 2.0 ** min(self._failures, 10), _LONGEST_PAUSE)
        if reason != self.failing or self._failures % _TOLD_EVERY == 0:
            trace = None if isinstance(error, JobdeckError) else error
            _log.error("duty_failed", duty=type(self).__name__, error=reason, next_try_in=pause, exc_info=trace)
        self.failing = reason
        self._failures += 1
        return pause

    def _succeeded(self) -> None:
        if self._failures:
            _log.info("duty_works_again", duty=type(self).__name__, after_tries=self._failures)
        self.failing, self._failures = None, 0

    async def _rest(self, seconds: float) -> bool:
        """True if a wake-up ended it."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return False
        # A timer that wakes: not wait_for, which forgets a stop in the moment of a wake-up (Python 3.11), nor a timeout,
        # which takes longer than all that some duties do.
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        alarm = loop.call_later(seconds, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            alarm.cancel()
        return loop.time() < end
