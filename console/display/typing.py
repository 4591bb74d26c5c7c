"""Keys reach what they were meant for, however fast they come."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from textual import events
from textual.app import App, ReturnType
from textual.message_pump import MessagePump

_OUT = "ctrl+q"
_CALM = 2
"""Turns of the loop in a row without anything under way: by then a worker that was begun has come to its first wait."""
_QUICK = 100
"""Turns that are taken at once; later ones after a rest."""
_REST = 0.005
_BRIEF = 200
_MOST = 1_000
"""Turns until brief holds lapse, and until keys go on whatever happens: 1 s and 5 s. They are counted, not measured:
a process that got no processor for a while has not waited."""


class KeysInOrder(App[ReturnType]):
    """Hands out what is typed one by one, each key when all that came of the one before is done: messages handled,
    screens mounted, the focus where it belongs.

    Textual forwards all keys of one read to the widget that has the focus then. Over a slow line keys come in bursts,
    typed ahead of what is shown: of `/exit` all but the first would reach the list, and `x` cancels there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Key | events.Paste] = deque()
        self._turn: events.Event | None = None
        self._handing_out: asyncio.Task[None] | None = None
        self._holds: set[object] = set()
        self._brief_holds: set[object] = set()
        self._questions = 0
        self._last: str | None = None
        """The key that was handed out last."""

    @contextmanager
    def keys_held(self, *, brief: bool = False, once: bool = False) -> Iterator[None]:
        """What is typed meanwhile is handed out afterwards: what is being done decides where it goes. `brief`: for a
        second at most. `once`: the key that began it, pressed again meanwhile, meant nothing else, and is dropped."""
        hold, holds = object(), self._brief_holds if brief else self._holds
        holds.add(hold)
        try:
            yield
        finally:
            holds.discard(hold)
            while once and self._typed and _key_of(self._typed[0]) == self._last:
                self._typed.popleft()

    @contextmanager
    def keys_let(self) -> Iterator[None]:
        """Whoever holds the keys asks something: the answer is typed."""
        self._questions += 1
        try:
            yield
        finally:
            self._questions -= 1

    async def on_event(self, event: events.Event) -> None:
        if (
            not isinstance(event, events.Key | events.Paste)
            or event.is_forwarded
            or event is self._turn
            or _leaves(event)
        ):
            await super().on_event(event)
            return
        self._typed.append(event)
        if self._handing_out is None:
            if self._is_at_rest(besides=self):
                await super().on_event(self._pop_typed())
            self._handing_out = asyncio.create_task(self._hand_out())

    async def _hand_out(self) -> None:
        """Ends when nothing is typed any more, and all that came of it is done."""
        await self._come_to_rest()
        while self._typed and self._running:
            self._turn = self._pop_typed()
            self.post_message(self._turn)
            await self._come_to_rest()
        self._handing_out = None

    def _pop_typed(self) -> events.Key | events.Paste:
        typed = self._typed.popleft()
        self._last = _key_of(typed)
        return typed

    async def _come_to_rest(self) -> None:
        calm = 0
        for turn in range(_MOST):
            calm = calm + 1 if self._is_at_rest() else 0
            if calm > _CALM or not self._running:
                return
            if turn == _BRIEF:
                self._brief_holds.clear()
            await asyncio.sleep(0 if calm or turn < _QUICK else _REST)

    def _is_at_rest(self, besides: MessagePump | None = None) -> bool:
        if (self._holds or self._brief_holds) and not self._questions:
            return False
        return all(_waits(pump) for pump in self._pumps() if pump is not besides) and not self.message_queue_size

    def _pumps(self) -> Iterable[MessagePump]:
        yield self
        for screen in self.screen_stack if self._running else ():
            yield from screen.walk_children(with_self=True)


def _leaves(typed: events.Event) -> bool:
    """Whoever wants out is not held."""
    return _key_of(typed) == _OUT


def _key_of(typed: events.Event) -> str | None:
    return typed.key if isinstance(typed, events.Key) else None


def _waits(pump: MessagePump) -> bool:
    """Whether it has nothing to do, and does nothing. Textual tells how long its queue is, not whether the last message
    of it is still being handled (or whether it is mounted at all): while it waits for the next one, it is not."""
    return not pump.message_queue_size and bool(pump._message_queue.ready_event._waiters)
