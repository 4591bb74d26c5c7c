"""The routes of shares, and of the record of what was done."""

from __future__ import annotations

from typing import Any, Literal

from console.client.answers import Items, OwnedBy, Page
from console.client.session import Session, segment
from shared.models import Job
from shared.models.audit import AuditEntry
from shared.models.share import AccessLevel, OwnerInput, Share, ShareInput, Visibility, VisibilityInput

Place = Literal["jobs", "connections", "knowledge-bases", "datasets", "secrets"]


class Shares:
    """Of all that can be shared; `key` is what the routes of the place take: an id, a name, of a job its slug too."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self, place: Place, key: str) -> list[Share]:
        return (await self._session.fetch(Items[Share], "GET", f"{_path(place, key)}/shares")).items

    async def put(self, place: Place, key: str, principal: str, level: AccessLevel) -> Share:
        """`principal`: a user by id or handle, or `everyone`."""
        wanted = ShareInput(principal_id=principal, access_level=level)
        return await self._session.fetch(Share, "POST", f"{_path(place, key)}/shares", body=wanted)

    async def remove(self, place: Place, key: str, principal: str) -> None:
        await self._session.send("DELETE", f"{_path(place, key)}/shares/{segment('principal', principal)}")

    async def standing(self, place: Place, key: str) -> OwnedBy:
        """Whose it is, and who sees it."""
        return await self._session.fetch(OwnedBy, "GET", _path(place, key))

    async def set_visibility(self, place: Place, key: str, visibility: Visibility) -> None:
        wanted = VisibilityInput(visibility=visibility)
        await self._session.send("PUT", f"{_path(place, key)}/visibility", body=wanted)

    async def set_owner(self, place: Place, key: str, owner: str) -> None:
        """`owner`: a user by id or handle."""
        await self._session.send("PUT", f"{_path(place, key)}/owner", body=OwnerInput(owner_id=owner))

    async def give_job(self, key: str, owner: str) -> Job:
        """The job as it is then, though its owner of before may not see it any more."""
        return await self._session.fetch(Job, "PUT", f"{_path('jobs', key)}/owner", body=OwnerInput(owner_id=owner))

    async def record(self, **wanted: Any) -> Page[AuditEntry]:
        """A page of what was done in the account, newest first; for administrators. Parameters as of `GET /audit`."""
        return await self._session.fetch(Page[AuditEntry], "GET", "/audit", params=wanted)


def _path(place: Place, key: str) -> str:
    return f"/{place}/{segment(place, key)}"
