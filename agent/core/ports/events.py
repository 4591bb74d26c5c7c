"""What was told, for those who listen again."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from shared.models import Event


class EventStore(Protocol):
    """Events in the order of their commits; `Store.subscribe` has them as they come."""

    async def events_after(self, account_id: str, event_id: int, limit: int) -> list[Event] | None:
        """None: that position was pruned; the listener must start anew."""

    async def last_event_id(self) -> int: ...

    async def prune_events(self, keep: int, before: datetime | None = None) -> int:
        """Delete the oldest, beyond the newest `keep` or from before that moment; returns how many."""
