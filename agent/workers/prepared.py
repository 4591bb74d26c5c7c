"""An order that lies in an idle worker while its claim is being committed, and begins at one word."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from agent.core.wire import LaidOrder, Order, line_of
from agent.workers import limits
from agent.workers.assignment import Assignment
from agent.workers.word import Word

_BEGIN, _FORGET = line_of(LaidOrder(begin=True)), line_of(LaidOrder(begin=False))


@dataclass(frozen=True, slots=True)
class _Held:
    assignment: Assignment
    word: Word
    begun: Callable[[], None]


class Prepared:
    """Of one worker: at most one order. Unlike what is laid for a moment it is never given back: where it does not begin,
    whoever prepared it hears that at once.

    The word may be said by another thread, so the worker may have begun what the loop has not heard of: whoever hears
    the worker asks `settle` before, and whoever gives it something else to do, or up, asks `hold`.
    """

    def __init__(
        self, is_idle: Callable[[], bool], send: Callable[[bytes], bool], begin: Callable[[Assignment], None]
    ) -> None:
        """`send`: False where something has to wait for its turn. `begin`: it has the worker from now on."""
        self._is_idle = is_idle
        self._send = send
        self._begin = begin
        self._held: _Held | None = None
        self._link: socket.socket | None = None

    def open(self, link: socket.socket) -> None:
        """The way for other threads; closed by `close`."""
        self._link = link

    def close(self) -> None:
        self.hold()
        if self._link is not None:
            self._link.close()

    def prepare(self, order: Order, begun: Callable[[], None]) -> Callable[[], None]:
        """What says the word, in any thread. `begun` is called on the loop when the order has the worker."""
        if not self._is_idle() or self._held is not None or limits.is_watched(order):
            raise RuntimeError(f"the order of run {order.run_id} cannot be prepared")
        is_there = self._send(line_of(order.model_copy(update={"laid": True})))
        word = Word(_BEGIN, self._link if is_there else None)
        self._held = _Held(Assignment(order), word, begun)
        return word.say

    def decide(self, *, begin: bool) -> None:
        """The last word, unless it was said. A worker that is not idle any more begins nothing."""
        held, self._held = self._held, None
        if held is None:
            return
        unsaid = held.word.take()
        begins = held.word.is_said() or (begin and self._is_idle())
        if line := unsaid if begins else _FORGET:
            self._send(line)
        if begins:
            self._begin(held.assignment)
            held.begun()

    def settle(self) -> None:
        """What was told to begin has the worker from now on."""
        if self._held is not None and self._held.word.is_said():
            self.decide(begin=True)

    def hold(self) -> None:
        """The same; and from now on nothing begins here but by `decide`."""
        if self._held is not None:
            self._held.word.take()
            self.settle()
