"""Drafts, as the core needs them stored."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from agent.core.records import NewDraft
from shared.models import Draft, DraftInput


class DraftStore(Protocol):
    """A draft is its owner's alone, and there is one of each owner for each job. It goes when it is published, in
    the transaction that publishes it: `NewJob.draft`, `JobChange.draft`."""

    async def open_draft(self, draft: NewDraft, now: datetime) -> tuple[Draft, bool]:
        """The draft that its owner has of that job, else this one; and whether it was made. NotFound: no such job;
        TooMany."""

    async def get_draft(self, account_id: str, owner_id: str, draft_id: str) -> Draft:
        """NotFound for those of others."""

    async def draft_of(self, owner_id: str, job_id: str) -> Draft:
        """The owner's draft of the job, of a deleted one too. NotFound."""

    async def list_drafts(self, account_id: str, owner_id: str) -> list[Draft]:
        """The owner's own; the one that was changed last comes first."""

    async def put_draft(
        self,
        draft_id: str,
        definition: DraftInput,
        expected_version: int | None,
        now: datetime,
        *,
        based_on: int | None = None,
    ) -> Draft:
        """Replace what it says; with `based_on`, say which revision of the job it is an edit of from now on.
        StaleVersion, NotFound."""

    async def delete_draft(self, draft_id: str, expected_version: int | None, now: datetime) -> None:
        """StaleVersion, NotFound."""
