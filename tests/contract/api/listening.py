"""What a user hears of the agent's events."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.contract.api.people import Person
from tests.harness.agent import RunningAgent
from tests.harness.telling import PATIENCE


class Listener:
    """An open stream of a user's events."""

    def __init__(
        self, agent: RunningAgent, user: Person | None, after: int | None = None, account: str = "default"
    ) -> None:
        """`user` None: who administers the account."""
        self._stream = agent.agent.api.state.api.broadcast.stream(account, after, user.id if user else None)
        self._heard: list[tuple[str, dict[str, Any]]] = []

    async def next(self) -> tuple[str, dict[str, Any]]:
        """Kind and data of the next event; StopAsyncIteration at the end of the stream."""
        while not self._heard:
            text = (await asyncio.wait_for(anext(self._stream), PATIENCE)).decode()
            frames = [dict(line.split(": ", 1) for line in frame.split("\n")) for frame in text.split("\n\n") if frame]
            self._heard = [(frame["event"], json.loads(frame["data"])) for frame in frames if "event" in frame]
        return self._heard.pop(0)

    async def next_of(self, kind: str) -> dict[str, Any]:
        """What the next event of that kind says."""
        while True:
            heard, event = await self.next()
            if heard == kind:
                data: dict[str, Any] = event["data"]
                return data
