"""Keys reach what they were meant for, however fast they come."""

from __future__ import annotations

from collections import deque

from textual import events
from textual.app import App, ReturnType
from textual.message import Message

_LOST_AFTER = 0.5
"""Seconds after which a key counts as done whose widget went away with it."""


class KeyDone(Message):
    """Follows a key on its way through the widgets: when it is back, so is the key."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class KeysInOrder(App[ReturnType]):
    """Hands out a key when the one before has had its effect.

    Textual forwards all keys of one read to the widget that has the focus then. Over a slow line keys come in bursts:
    of `/exit` all but the first would reach the list, and `x` cancels there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Key] = deque()
        self._key_number = 0
        self._is_key_at_work = False

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._typed.append(event)
            await self._hand_out()
        else:
            await super().on_event(event)

    async def on_key_done(self, message: KeyDone) -> None:
        await self._key_is_done(message.number)

    async def _hand_out(self) -> None:
        if self._is_key_at_work or not self._typed:
            return
        self._is_key_at_work = True
        self._key_number += 1
        number = self._key_number
        target = self.focused or self.screen
        await super().on_event(self._typed.popleft())
        target.post_message(KeyDone(number))
        self.set_timer(_LOST_AFTER, lambda: self._key_is_done(number))

    async def _key_is_done(self, number: int) -> None:
        if self._is_key_at_work and number == self._key_number:
            self._is_key_at_work = False
            await self._hand_out()
