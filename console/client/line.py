"""A line to the agent that is kept up: reconnects with growing, jittered pauses, and says when it is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from shared.clock import Clock
from shared.errors import JobdeckError, TooMany, Unauthenticated

Sleep = Callable[[float], Awaitable[object]]

default_sleep: Sleep = asyncio.sleep

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
"""Seconds: who was paged looks at the screen while the agent comes back."""
_STEADY_AFTER = 10.0
"""Seconds; a connection that lasted longer starts the pauses from the beginning."""


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event; `kind` is `open` for the mark that the connection stands."""

    kind: str
    data: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Online:
    """The line stands (again)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Offline:
    """The line is down `since` then; `reason` is a sentence. Said once per outage, and again when the reason changes.
    `is_refused`: an agent is there, and does not let the caller in."""

    since: datetime
    reason: str
    is_refused: bool = False


Connect = Callable[[], AsyncGenerator[Message, None]]


class Line:
    """Keeps one connection up. Time, pauses and chance are handed in; `hurry()` ends a pause."""

    Jitter = Callable[[], float]
    """A number from 0 to 1: how much of the second half of a pause is waited for."""

    def __init__(self, clock: Clock, sleep: Sleep, jitter: Jitter) -> None:
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._pause = _FIRST_PAUSE
        self._down: Offline | None = None
        self._opened: float | None = None
        self._woken = asyncio.Event()
        self._is_resting = False

    def hurry(self) -> None:
        """The agent answers elsewhere, or somebody asks: try now. A pause that the agent asked for stays."""
        if self._is_resting:
            self._pause = _FIRST_PAUSE
            self._woken.set()

    async def keep(
        self, connect: Connect, fatal: tuple[type[JobdeckError], ...] = ()
    ) -> AsyncGenerator[Message | Online | Offline, None]:
        """All messages of all connections, with Online and Offline between them; ends only by an error in `fatal`."""
        while True:
            wait, is_refused = 0.0, False
            try:
                async with aclosing(connect()) as messages:
                    async for message in messages:
                        yield self._open() if message.kind == "open" else message
                reason = "the agent ended the connection"
            except JobdeckError as error:
                if isinstance(error, fatal):
                    raise
                reason = error.message
                wait = (error.retry_after or 0.0) if isinstance(error, TooMany) else 0.0
                is_refused = isinstance(error, Unauthenticated)
            if self._lost(reason, is_refused=is_refused):
                yield self._down_now()
            await self._rest(self._next_pause(), wait)

    def _open(self) -> Online:
        self._opened = self._clock.monotonic()
        self._down = None
        return Online(self._clock.now())

    async def _rest(self, pause: float, asked: float) -> None:
        """Until the pause is over or somebody hurries; no shorter than the agent `asked` for."""
        if asked > pause:
            await self._sleep(asked)
            return
        self._woken.clear()
        self._is_resting = True
        waits = [asyncio.ensure_future(self._sleep(pause)), asyncio.ensure_future(self._woken.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._is_resting = False
            for each in waits:
                each.cancel()

    def _lost(self, reason: str, *, is_refused: bool) -> bool:
        """Note the outage; False if it was said already."""
        if self._opened is not None and self._clock.monotonic() - self._opened >= _STEADY_AFTER:
            self._pause = _FIRST_PAUSE
        self._opened = None
        if self._down is not None and self._down.reason == reason:
            return False
        self._down = Offline(self._down.since if self._down else self._clock.now(), reason, is_refused)
        return True

    def _down_now(self) -> Offline:
        assert self._down is not None
        return self._down

    def _next_pause(self) -> float:
        pause = self._pause * (0.5 + self._jitter() / 2)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        return pause
