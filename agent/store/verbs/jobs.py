"""Jobs and their revisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from agent.core.records import JobChange, JobHead, JobStatistics, NewJob, Publication
from agent.store.jobs import foreseen, job_heads, job_queries, jobs
from agent.store.verbs.base import Verbs
from agent.store.verbs.look import look
from shared.models import Job, JobInput


class JobVerbs(Verbs):
    async def insert_job(self, job: NewJob, now: datetime) -> Job:
        return await self._write(jobs.insert, job, now)

    async def replace_job(self, change: JobChange, expected_version: int | None, now: datetime) -> Job:
        return await self._write(jobs.replace, change, expected_version, now)

    async def publish_jobs(self, given: Sequence[Publication], now: datetime) -> list[Job]:
        return await self._write_all(jobs.publish, [(each, now) for each in given])

    async def set_paused(
        self,
        job_id: str,
        paused_at: datetime | None,
        next_fire_at: datetime | None,
        now: datetime,
        expected_version: int | None = None,
    ) -> Job:
        return await self._write(jobs.set_paused, job_id, paused_at, next_fire_at, now, expected_version)

    async def set_defined_in(self, job_id: str, file: str | None, now: datetime) -> Job:
        return await self._write(jobs.set_defined_in, job_id, file, now)

    async def defined_jobs(self, account_id: str) -> list[Job]:
        return await self._read(job_queries.defined, account_id)

    async def set_job_owner(self, job_id: str, owner_id: str, now: datetime) -> Job:
        return await self._write(jobs.set_owner, job_id, owner_id, now)

    async def delete_job(self, job_id: str, expected_version: int | None, now: datetime) -> Job:
        return await self._write(jobs.delete, job_id, expected_version, now)

    async def foresee_jobs(self, account_id: str, keys: Sequence[str], user_id: str) -> None:
        memory = look()
        if memory is not None:
            memory.learn(await self._ask(foreseen.answers, account_id, keys, user_id))

    async def get_job(self, account_id: str, key: str) -> Job:
        return await self._read(job_queries.get, account_id, key)

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
        wanted = {"q": q, "sort": sort, "limit": limit, "start": start, "where": where, "seen_by": seen_by}
        return await self._read(job_queries.list_page, account_id, **wanted, now=self._clock.now())

    async def job_heads(
        self, account_id: str, behind: JobHead | None, limit: int, *, seen_by: str | None = None
    ) -> list[JobHead]:
        return await self._read(job_heads.page, account_id, behind, limit, seen_by)

    async def definition(self, job_id: str, revision: int | None = None) -> JobInput:
        return await self._read(job_queries.definition, job_id, revision)

    async def made_through(self, job_id: str) -> str:
        return await self._read(job_queries.made_through, job_id)

    async def revisions(self, job_id: str, before: int | None = None, limit: int = 50) -> list[dict[str, Any]]:
        return await self._read(job_queries.revisions, job_id, before, limit)

    async def revision(self, job_id: str, number: int) -> dict[str, Any]:
        return await self._read(job_queries.revision, job_id, number)

    async def statistics(self, job_ids: Sequence[str]) -> dict[str, JobStatistics]:
        return await self._read(job_queries.statistics, job_ids)
