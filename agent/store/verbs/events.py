"""What has happened."""

from __future__ import annotations

from datetime import datetime

from agent.store import events
from agent.store.verbs.base import Verbs
from shared.models.event import Event


class EventVerbs(Verbs):
    async def events_after(self, account_id: str, event_id: int, limit: int) -> list[Event] | None:
        return await self._read(events.after_unless_pruned, account_id, event_id, limit)

    async def last_event_id(self) -> int:
        return await self._read(events.last_id)

    async def prune_events(self, keep: int, before: datetime | None = None) -> int:
        """In small transactions, so that nobody waits long behind it."""
        gone = 0
        while part := await self._write_aside(events.prune, keep, before):
            gone += part
        return gone
