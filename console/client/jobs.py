"""The routes of jobs."""

from __future__ import annotations

from datetime import datetime

from console.client.answers import Check, Comparison, DriverInfo, Explanation, FireTimes, Items, JobPage, Page, Revision
from console.client.session import Session, segment
from shared.models import Job, JobInput, Run


class Jobs:
    """`key` is an id, `owner:slug` or a slug. `version` guards: StaleVersion if somebody changed it meanwhile."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def page(
        self, *, q: str | None = None, where: str | None = None, sort: str | None = None, limit: int = 30, start: int = 0
    ) -> JobPage:  # fmt: skip
        """`where`: the filter language; `q`: plain words. `sort`: name, type, createdAt, updatedAt, nextRunAt, enabled; `-` descends. `limit` 1-200."""
        params = {"q": q, "filter": where, "sort": sort, "limit": limit, "start": start}
        return await self._session.fetch(JobPage, "GET", "/jobs", params=params)

    async def get(self, key: str) -> Job:
        return await self._session.fetch(Job, "GET", _path(key))

    async def create(self, definition: JobInput) -> Job:
        return await self._session.fetch(Job, "POST", "/jobs", body=definition)

    async def replace(self, key: str, definition: JobInput, version: int | None = None) -> Job:
        return await self._session.fetch(Job, "PUT", _path(key), body=definition, version=version)

    async def delete(self, key: str, version: int | None = None) -> None:
        await self._session.send("DELETE", _path(key), version=version)

    async def run(self, key: str, wait: int = 0) -> Run:
        """Run it now; comes back when it ended, or after `wait` seconds (0-60)."""
        params = {"wait": wait or None}
        return await self._session.fetch(Run, "POST", _path(key), params=params, patience=wait)

    async def pause(self, key: str) -> Job:
        return await self._session.fetch(Job, "POST", f"{_path(key)}/_pause")

    async def resume(self, key: str) -> Job:
        return await self._session.fetch(Job, "POST", f"{_path(key)}/_resume")

    async def explain(self, key: str) -> Explanation:
        return await self._session.fetch(Explanation, "GET", f"{_path(key)}/explain")

    async def revisions(self, key: str) -> list[Revision]:
        """All of them, newest first."""
        page = await self._revisions(key, None)
        found = page.items
        while page.before is not None:
            page = await self._revisions(key, page.before)
            found = found + page.items
        return found

    async def compare(self, key: str, before: int, after: int) -> Comparison:
        """What two revisions differ in, and when each would fire from now on."""
        return await self._session.fetch(Comparison, "GET", f"{_path(key)}/revisions/{before}/diff/{after}")

    async def restore(self, key: str, revision: int, version: int | None = None) -> Job:
        """Publish an old revision again, as the next one."""
        return await self._session.fetch(Job, "POST", f"{_path(key)}/revisions/{revision}/_restore", version=version)

    async def check(self, definition: JobInput) -> Check:
        """What the definition would mean, without storing it; wrong values are in the answer, not raised."""
        return await self._session.fetch(Check, "POST", "/jobs/_check", body=definition)

    async def drivers(self) -> list[DriverInfo]:
        return (await self._session.fetch(Items[DriverInfo], "GET", "/job-drivers")).items

    async def fire_times(
        self,
        interval_type: str,
        interval: str | None,
        timezone: str,
        *,
        after: datetime,
        count: int = 10,
        start_on: str | None = None,
        end_on: str | None = None,
        gap: str | None = None,
        fold: str | None = None,
    ) -> FireTimes:
        """The next `count` (at most 1,000) fires of a schedule after that moment."""
        params = {
            "intervalType": interval_type, "interval": interval, "timezone": timezone, "after": after.isoformat(),
            "count": count, "startOn": start_on, "endOn": end_on, "gap": gap, "fold": fold,
        }  # fmt: skip
        return await self._session.fetch(FireTimes, "GET", "/job-fire-times", params=params)

    async def _revisions(self, key: str, before: int | None) -> Page[Revision]:
        params = {"limit": 200, "before": before}
        return await self._session.fetch(Page[Revision], "GET", f"{_path(key)}/revisions", params=params)


def _path(key: str) -> str:
    return f"/jobs/{segment('job', key)}"
