"""The routes of shares, and of the record of what was done."""

from __future__ import annotations

from typing import Any

from console.client.answers import Items, Page
from console.client.session import Session, segment
from shared.models.audit import AuditEntry
from shared.models.share import AccessLevel, Share, ShareInput


class Shares:
    """Of jobs; `job` is an id, a slug, or a name."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self, job: str) -> list[Share]:
        return (await self._session.fetch(Items[Share], "GET", _path(job))).items

    async def put(self, job: str, principal: str, level: AccessLevel) -> Share:
        """`principal`: a user by id or handle, or `everyone`."""
        wanted = ShareInput(principal_id=principal, access_level=level)
        return await self._session.fetch(Share, "POST", _path(job), body=wanted)

    async def remove(self, job: str, principal: str) -> None:
        await self._session.send("DELETE", f"{_path(job)}/{segment('principal', principal)}")

    async def record(self, **wanted: Any) -> Page[AuditEntry]:
        """A page of what was done in the account, newest first; for administrators. Parameters as of `GET /audit`."""
        return await self._session.fetch(Page[AuditEntry], "GET", "/audit", params=wanted)


def _path(job: str) -> str:
    return f"/jobs/{segment('job', job)}/shares"
