"""The routes of sentinels: jobs that behave unlike themselves."""

from __future__ import annotations

from console.client.answers import Page
from console.client.session import Session, segment
from shared.models import Sentinel


class Sentinels:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def page(
        self,
        *,
        job_id: str | None = None,
        kind: str | None = None,
        state: str = "open",
        before: int | None = None,
        limit: int = 50,
    ) -> Page[Sentinel]:
        """Newest first; `state`: open, closed, all. `job_id` is an id or a slug. `limit` 1-200."""
        params = {"jobId": job_id, "kind": kind, "state": state, "before": before, "limit": limit}
        return await self._session.fetch(Page[Sentinel], "GET", "/sentinels", params=params)

    async def get(self, sentinel_id: str) -> Sentinel:
        return await self._session.fetch(Sentinel, "GET", _path(sentinel_id))

    async def acknowledge(self, sentinel_id: str) -> Sentinel:
        return await self._session.fetch(Sentinel, "POST", f"{_path(sentinel_id)}/_acknowledge")


def _path(key: str) -> str:
    return f"/sentinels/{segment('sentinel', key)}"
