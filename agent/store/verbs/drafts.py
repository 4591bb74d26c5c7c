"""Drafts."""

from __future__ import annotations

from datetime import datetime

from agent.core.records import NewDraft
from agent.store.jobs import drafts
from agent.store.verbs.base import Verbs
from shared.models import Draft, DraftInput


class DraftVerbs(Verbs):
    async def open_draft(self, draft: NewDraft, now: datetime) -> tuple[Draft, bool]:
        return await self._write(drafts.open_draft, draft, now)

    async def get_draft(self, account_id: str, owner_id: str, draft_id: str) -> Draft:
        return await self._read(drafts.get, account_id, owner_id, draft_id)

    async def draft_of(self, owner_id: str, job_id: str) -> Draft:
        return await self._read(drafts.of_job, owner_id, job_id)

    async def list_drafts(self, account_id: str, owner_id: str) -> list[Draft]:
        return await self._read(drafts.list_mine, account_id, owner_id)

    async def put_draft(
        self,
        draft_id: str,
        definition: DraftInput,
        expected_version: int | None,
        now: datetime,
        *,
        based_on: int | None = None,
    ) -> Draft:
        return await self._write(drafts.put, draft_id, definition, expected_version, based_on, now)

    async def delete_draft(self, draft_id: str, expected_version: int | None, now: datetime) -> None:
        await self._write(drafts.delete, draft_id, expected_version, now)
