"""The record of what was done. Rows of acts are written by the verbs that change something, in their transactions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from agent.core.records import AuditQuery, NewRefusal
from shared.models.audit import AuditEntry


class AuditStore(Protocol):
    async def list_audit(self, account_id: str, query: AuditQuery) -> list[AuditEntry]:
        """Newest first, keyed by number."""

    async def insert_refusal(self, refusal: NewRefusal, now: datetime) -> int:
        """Returns the row's number, for `count_refusals`."""

    async def count_refusals(self, number: int, count: int, last_at: datetime) -> None:
        """It has happened `count` times by now."""

    async def is_of_others(self, account_id: str, ids: Sequence[str]) -> bool:
        """Whether one of them is the id of a job, a run, a draft or what jobs work with in another account."""

    async def prune_audit(self, before: datetime, keep_refusals: int) -> int:
        """Delete a part of what is older, and of the refusals beyond the newest; returns how many went."""
