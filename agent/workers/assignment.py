"""An order in a worker's hands: what was asked of it, what it said last, and what the two make of its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from agent.core.running.fingerprint import fingerprint
from agent.core.wire import Ended, Exceeded, Order, RunMessage
from agent.workers import limits
from shared.clock import Clock
from shared.models import RunError

Asked = Literal["cancel", "timeout", "limit", "stop"]
"""Why a run is to end: somebody asked, its time is over, it took more than it may, or the agent stops."""


@dataclass(slots=True)
class Assignment:
    order: Order
    asked: Asked | None = None
    ended: Ended | None = None
    exceeded: Exceeded | None = None
    distrusted: bool = False
    """What the run did to its worker does not end with it: the worker is to go."""
    children_killed: bool = False
    """The keeper was told to kill all below the worker, and may still be at it."""
    cleared: bool = False
    """Nothing of it is left in its worker: what is asked of it from now on must not meet the run after it."""
    kill_at: float | None = None
    """On the loop's clock, once it was asked to end."""
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def message(self) -> RunMessage:
        return RunMessage(run_id=self.order.run_id, attempt=self.order.attempt)

    def concerns(self, message: RunMessage) -> bool:
        return message.run_id == self.order.run_id and message.attempt == self.order.attempt

    def stop_timers(self) -> None:
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()

    def last_word(self, clock: Clock) -> Ended | None:
        """How it ended; None if it was lost: its worker died, or the agent's stop cut it short and it may start anew."""
        ended = self.ended
        if self.asked == "limit" and self.exceeded is not None:
            return self._failed(limits.error_of(self.order, self.exceeded), clock)
        if self.asked is None or (ended is not None and ended.outcome != "cancelled"):
            return ended
        if self.asked == "stop":
            return None
        if self.asked == "timeout":
            return self._timed_out(clock)
        return ended or self._end("cancelled", clock)

    def _timed_out(self, clock: Clock) -> Ended:
        message = (
            f"it took longer than its timeout of {self.order.timeout:g} s" if self.order.timeout else "out of time"
        )
        mark = fingerprint(self.order.type, "timeout", message)
        return self._failed(RunError(kind="timeout", message=message, fingerprint=mark), clock)

    def _failed(self, error: RunError, clock: Clock) -> Ended:
        word = self.ended or self._end("failed", clock)
        return word.model_copy(update={"outcome": "failed", "result": None, "error": error})

    def _end(self, outcome: Literal["failed", "cancelled"], clock: Clock) -> Ended:
        order = self.order
        return Ended(run_id=order.run_id, attempt=order.attempt, outcome=outcome, at=clock.now())
