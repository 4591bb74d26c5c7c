"""The record of who did what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent.core.permissions.callers import Caller


@dataclass(frozen=True, slots=True)
class NewRefusal:
    caller: Caller
    act: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """A page of the record. `user`: an id or a handle; `subject`: an id or a name; `act`: an operation or an event."""

    user: str | None = None
    subject: str | None = None
    act: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """Keyset: only rows whose number is smaller."""
    after: int | None = None
    """Keyset: only rows whose number is greater (the page nearest to it)."""
    limit: int = 50
