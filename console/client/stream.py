"""The event stream: what happens at the agent, in order, across cuts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from console.client.line import Line, Message, Offline, Online

if TYPE_CHECKING:
    from console.client.agent import AgentClient
    from shared.models import Event


@dataclass(frozen=True, slots=True)
class Reset:
    """The position was pruned: what was missed is not known. Load the pages anew; the stream goes on from now."""


Signal = Union["Event", Reset, Offline, Online]


class EventStream:
    """`async for signal in stream:` gives Event, Reset, Offline or Online, and never raises at a cut.

    `position` is the number of the last event given; a stream opened with it goes on right behind it.
    """

    def __init__(self, client: AgentClient, line: Line, after: int | None) -> None:
        self._client = client
        self._line = line
        self.position = after

    def __aiter__(self) -> AsyncIterator[Signal]:
        return self.signals()

    async def signals(self) -> AsyncGenerator[Signal, None]:
        """The same as an asynchronous generator, for those who close it by hand."""
        async with aclosing(self._line.keep(self._connect)) as messages:
            async for message in messages:
                signal = self._read(message) if isinstance(message, Message) else message
                if signal is not None:
                    yield signal

    async def _connect(self) -> AsyncGenerator[Message, None]:
        """Without a position ask for the present one first, or a cut before the first event would lose some."""
        if self.position is None:
            self.position = (await self._client.world.agent()).last_event_id
        listening = self._client.session.listen("/events", headers={"Last-Event-ID": str(self.position)})
        async with aclosing(listening) as messages:
            async for message in messages:
                yield message

    def _read(self, message: Message) -> Signal | None:
        if message.kind == "reset":
            self.position = int(message.id) if message.id.isdigit() else None
            return Reset()
        event = _event(message)
        if message.id.isdigit():
            self.position = int(message.id)
        elif event is not None and event.id:
            self.position = event.id
        return event


def _event(message: Message) -> Event | None:
    """None for what a newer agent may say and this console does not know."""
    from pydantic import ValidationError

    from shared.models import Event

    try:
        return Event.model_validate_json(message.data)
    except ValidationError:
        return None
