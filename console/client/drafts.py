"""The routes of drafts."""

from __future__ import annotations

from console.client.answers import ActionPreview, Check, Comparison, Items
from console.client.session import Session, segment
from shared.models import Draft, DraftInput, Job


class Drafts:
    """`key` is a draft's id, or names the job that the caller has a draft of."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def mine(self) -> list[Draft]:
        return (await self._session.fetch(Items[Draft], "GET", "/drafts")).items

    async def start(self, definition: DraftInput) -> Draft:
        """Of a job that does not exist yet."""
        return await self._session.fetch(Draft, "POST", "/drafts", body=definition)

    async def edit(self, job: str) -> Draft:
        """The draft of the job, made if there is none."""
        return await self._session.fetch(Draft, "POST", f"{_path(job)}/_edit")

    async def get(self, key: str) -> Draft:
        return await self._session.fetch(Draft, "GET", f"{_path(key)}/draft")

    async def replace(self, draft: Draft, definition: DraftInput) -> Draft:
        """StaleVersion if it is not as it was when it was read."""
        path = _path(draft.id)
        return await self._session.fetch(Draft, "PUT", path, body=definition, version=draft.version)

    async def compare(self, key: str) -> Comparison:
        """Beside the job as it is now."""
        return await self._session.fetch(Comparison, "GET", f"{_path(key)}/draft/diff")

    async def check(self, key: str) -> Check:
        """What publishing it would say."""
        return await self._session.fetch(Check, "POST", f"{_path(key)}/_check")

    async def preview(self, key: str, action: str) -> ActionPreview:
        """What one of its actions would do with the results of the last run; nothing is done."""
        path = f"{_path(key)}/actions/{segment('action', action)}/_preview"
        return await self._session.fetch(ActionPreview, "POST", path)

    async def rebase(self, key: str, prefer: str | None = None) -> Draft:
        """Take in what was published since; Drifted names the fields that both changed, unless one is preferred."""
        return await self._session.fetch(Draft, "POST", f"{_path(key)}/_rebase", body={"prefer": prefer})

    async def commit(self, key: str) -> Job:
        return await self._session.fetch(Job, "POST", f"{_path(key)}/_commit")

    async def discard(self, key: str) -> None:
        await self._session.send("DELETE", f"{_path(key)}/draft")


def _path(key: str) -> str:
    return f"/jobs/{segment('draft', key)}"
