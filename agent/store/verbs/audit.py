"""What was done, and who was refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agent.core.records import AuditQuery, NewRefusal
from agent.store.permissions import audit
from agent.store.verbs.base import Verbs
from shared.models.audit import AuditEntry


class AuditVerbs(Verbs):
    async def list_audit(self, account_id: str, query: AuditQuery) -> list[AuditEntry]:
        return await self._read(audit.list_page, account_id, query)

    async def insert_refusal(self, refusal: NewRefusal, now: datetime) -> int:
        return await self._writer.submit(lambda connection: audit.insert_refusal(connection, refusal, now))

    async def count_refusals(self, number: int, count: int, last_at: datetime) -> None:
        await self._writer.submit(lambda connection: audit.count_refusals(connection, number, count, last_at))

    async def is_of_others(self, account_id: str, ids: Sequence[str]) -> bool:
        return await self._read(audit.is_of_others, account_id, ids)

    async def prune_audit(self, before: datetime, keep_refusals: int) -> int:
        return await self._write_aside(audit.prune, before, keep_refusals)
