"""Jobs and their revisions, as the core needs them stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from agent.core.records import JobChange, JobHead, JobStatistics, NewJob, Publication
from shared.models import Job
from shared.models.job import JobInput


class JobStore(Protocol):
    async def insert_job(self, job: NewJob, now: datetime) -> Job:
        """Publish revision 1. Conflict(field='name'|'slug') if taken in the account; TooMany if the limit is reached."""

    async def replace_job(self, change: JobChange, expected_version: int | None, now: datetime) -> Job:
        """Publish the next revision. StaleVersion if the version moved; NotFound; Conflict as above.
        `high_water` never goes back."""

    async def publish_jobs(self, given: Sequence[Publication], now: datetime) -> list[Job]:
        """All of them, in their order, or none: what refuses one, as above, refuses all."""

    async def set_paused(
        self,
        job_id: str,
        paused_at: datetime | None,
        next_fire_at: datetime | None,
        now: datetime,
        expected_version: int | None = None,
    ) -> Job:
        """Pause or resume. While paused the job stays due-able: its span is settled when it resumes. StaleVersion, for
        another version has other fires."""

    async def set_defined_in(self, job_id: str, file: str | None, now: datetime) -> Job:
        """Which file of the definitions folder says what the job is; None: it can be edited anywhere."""

    async def defined_jobs(self, account_id: str) -> list[Job]:
        """Those that a file of the definitions folder says something about."""

    async def set_job_owner(self, job_id: str, owner_id: str, now: datetime) -> Job:
        """A user of its account owns it from now on. Its version stays. NotFound."""

    async def delete_job(self, job_id: str, expected_version: int | None, now: datetime) -> Job:
        """Mark as deleted: frees the name, cancels its pending runs; the ledger and runs stay."""

    async def get_job(self, account_id: str, key: str) -> Job:
        """By id, slug, natural id `owner-handle:slug`, or name, in that order. NotFound."""

    async def foresee_jobs(self, account_id: str, keys: Sequence[str], user_id: str) -> None:
        """Within a look (`Store.looking`): have at hand what will be asked of the jobs that go by these keys, and how each
        stands to that user. A few questions, however many jobs."""

    async def list_jobs(
        self,
        account_id: str,
        *,
        q: str = "",
        sort: str = "name",
        limit: int = 30,
        start: int = 0,
        where: Any = None,
        seen_by: str | None = None,
    ) -> tuple[list[Job], int]:
        """A page and the total, of what that user may see (None: all). `q`: plain words over name and description,
        never a syntax error.
        `sort`: name, type, createdAt, updatedAt, nextRunAt, enabled; `-` descends. `recent` is filled."""

    async def job_heads(
        self, account_id: str, behind: JobHead | None, limit: int, *, seen_by: str | None = None
    ) -> list[JobHead]:
        """By name, those behind the given one."""

    async def revisions(self, job_id: str, before: int | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """`{"revision", "definition", "authorId", "author", "restoredFrom", "createdAt"}`, newest first; those
        numbered below `before`."""

    async def revision(self, job_id: str, number: int) -> dict[str, Any]:
        """One of them. NotFound."""

    async def definition(self, job_id: str, revision: int | None = None) -> JobInput: ...

    async def made_through(self, job_id: str) -> str:
        """Which contract it came in by; `api` for none of them. NotFound."""

    async def statistics(self, job_ids: Sequence[str]) -> dict[str, JobStatistics]: ...
