"""Whether the agent is heard, and how old what we know is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Link:
    """`since` is when it became so; `heard_at` when the agent was heard last."""

    online: bool = False
    since: datetime | None = None
    heard_at: datetime | None = None
    reason: str = "connecting"
    is_refused: bool = False
    """An agent is there, and does not let us in."""

    def up(self, now: datetime) -> Link:
        return Link(online=True, since=now, heard_at=now, reason="")

    def heard(self, now: datetime) -> Link:
        return replace(self, heard_at=now)

    def down(self, since: datetime, reason: str, *, is_refused: bool = False) -> Link:
        """While the line stands, silence means that nothing happened: the data are as old as the cut."""
        heard_at = since if self.online else self.heard_at
        return Link(online=False, since=since, heard_at=heard_at, reason=reason, is_refused=is_refused)

    def age(self, now: datetime) -> timedelta | None:
        """How old the data are: zero while online, None before anything was heard."""
        if self.online:
            return timedelta(0)
        return max(timedelta(0), now - self.heard_at) if self.heard_at else None
