"""An order that lies in an idle worker while its claim is being committed, and begins at one word."""

from __future__ import annotations

from collections.abc import Callable

from agent.core.wire import LaidOrder, Order, line_of
from agent.workers import limits
from agent.workers.assignment import Assignment

_BEGIN, _FORGET = line_of(LaidOrder(begin=True)), line_of(LaidOrder(begin=False))


class Prepared:
    """Of one worker: at most one order. Unlike what is laid for a moment it is never given back: where it does not begin,
    whoever prepared it hears that at once."""

    def __init__(
        self, is_idle: Callable[[], bool], send: Callable[[bytes], None], begin: Callable[[Assignment], None]
    ) -> None:
        """`begin`: it has the worker from now on."""
        self._is_idle = is_idle
        self._send = send
        self._begin = begin
        self._held: Assignment | None = None

    def prepare(self, order: Order) -> None:
        if not self._is_idle() or self._held is not None or limits.is_watched(order):
            raise RuntimeError(f"the order of run {order.run_id} cannot be prepared")
        self._send(line_of(order.model_copy(update={"laid": True})))
        self._held = Assignment(order)

    def decide(self, *, begin: bool) -> bool:
        """Whether it has the worker from now on. A worker that is not idle any more begins nothing."""
        held, self._held = self._held, None
        if held is None:
            return False
        begins = begin and self._is_idle()
        self._send(_BEGIN if begins else _FORGET)
        if begins:
            self._begin(held)
        return begins
