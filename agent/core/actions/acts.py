"""The actions of one job or draft, and what is attached to them, seen and changed one by one."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Sequence

from agent.core.actions import changing
from agent.core.actions.attachments import ATTACHMENTS, FileContent, content_of
from agent.core.actions.names import attachment_name
from agent.core.definitions.editing import Editing
from agent.core.definitions.parameters import parsed
from agent.core.jobs.jobs import Jobs
from agent.core.permissions.callers import Caller
from agent.core.ports import Blobs
from agent.core.world.storing import Storing
from shared.errors import InvalidInput, NotFound
from shared.models import Action, Attachment, Draft, Job


class Actions:
    def __init__(self, editing: Editing, jobs: Jobs, blobs: Blobs, storing: Storing) -> None:
        self._editing = editing
        self._jobs = jobs
        self._blobs = blobs
        self._storing = storing

    async def list(self, caller: Caller, key: str) -> list[Action]:
        """In their order."""
        return (await self._editing.definition(caller, key))[0].actions

    async def get(self, caller: Caller, key: str, action_id: str) -> Action:
        return changing.find((await self._editing.definition(caller, key))[0], action_id)[1]

    async def add(self, caller: Caller, key: str, given: Action) -> Action:
        """As the last. Conflict(field='id') if its id is taken."""
        head = await self._editing.change(caller, key, changing.adding(given))
        return head.actions[-1]

    async def put(
        self, caller: Caller, key: str, action_id: str, given: Action, expected_version: int | None
    ) -> Action:
        """In the place of the one with that id; its attachments stay where none are given."""
        head = await self._editing.change(caller, key, changing.putting(action_id, given), expected_version)
        return _of(head, action_id)

    async def put_all(
        self, caller: Caller, key: str, given: Sequence[Action], expected_version: int | None
    ) -> builtins.list[Action]:
        return (await self._editing.change(caller, key, changing.replacing(given), expected_version)).actions

    async def order(
        self, caller: Caller, key: str, ids: Sequence[str], expected_version: int | None
    ) -> builtins.list[Action]:
        return (await self._editing.change(caller, key, changing.ordering(ids), expected_version)).actions

    async def remove(self, caller: Caller, key: str, action_id: str, expected_version: int | None) -> None:
        await self._editing.change(caller, key, changing.removing(action_id), expected_version)

    async def attachments(self, caller: Caller, key: str, action_id: str) -> builtins.list[Attachment]:
        return (await self.get(caller, key, action_id)).attachments

    async def attachment(self, caller: Caller, key: str, action_id: str, attachment_id: str) -> Attachment:
        return changing.find_attachment(await self.get(caller, key, action_id), attachment_id)[1]

    async def attach(self, caller: Caller, key: str, action_id: str, given: Attachment) -> Attachment:
        _check(given)
        head = await self._editing.change(caller, key, changing.attaching(action_id, given))
        return _of(head, action_id).attachments[-1]

    async def put_attachment(
        self, caller: Caller, key: str, action_id: str, attachment_id: str, given: Attachment, version: int | None
    ) -> Attachment:
        """What was uploaded for it stays."""
        _check(given)
        make = changing.putting_attachment(action_id, attachment_id, given)
        head = await self._editing.change(caller, key, make, version)
        return changing.find_attachment(_of(head, action_id), attachment_id)[1]

    async def detach(
        self, caller: Caller, key: str, action_id: str, attachment_id: str, expected_version: int | None
    ) -> None:
        await self._editing.change(caller, key, changing.detaching(action_id, attachment_id), expected_version)

    async def content(
        self, caller: Caller, key: str, action_id: str, attachment_id: str
    ) -> tuple[Attachment, FileContent, str]:
        """The attachment, what its content is, and where that lies. NotFound until it is uploaded."""
        found = await self.attachment(caller, key, action_id, attachment_id)
        content = content_of(found.data) if found.type == "file" else None
        if content is None or not self._blobs.holds(caller.account_id, content.blob):
            raise NotFound(f"nothing was uploaded for the attachment {found.name!r}")
        return found, content, self._blobs.path(caller.account_id, content.blob)

    async def put_content(
        self, caller: Caller, key: str, action_id: str, attachment_id: str, content: AsyncIterator[bytes], kind: str
    ) -> Attachment:
        """Store it, and publish (or put into the draft) that the attachment has it. Nothing is read from whoever may
        not change the job, or of an attachment that has no content. LimitReached."""
        await self._require_file(caller, key, action_id, attachment_id)
        parsed(FileContent, {"blob": "0" * 64, "size": 0, "contentType": kind})
        limit = await self._storing.limit(caller.account_id)
        digest, size = await self._blobs.put(caller.account_id, content, limit)
        file = {"blob": digest, "size": size, "contentType": kind}
        head = await self._editing.change(caller, key, changing.filling(action_id, attachment_id, file))
        return changing.find_attachment(_of(head, action_id), attachment_id)[1]

    async def _require_file(self, caller: Caller, key: str, action_id: str, attachment_id: str) -> None:
        head = await self._editing.head(caller, key)
        if isinstance(head, Job):
            await self._jobs.get_to_edit(caller, key)
        changing.require_file(await self.attachment(caller, key, action_id, attachment_id))


def _of(head: Job | Draft, action_id: str) -> Action:
    for action in head.actions:
        if action.id == action_id:
            return action
    raise NotFound(f"the job has no action {action_id!r}")


def _check(given: Attachment) -> None:
    """Of drafts, too, which are not checked before they are published."""
    attachment_name(given.name)
    model = ATTACHMENTS.get(given.type)
    if model is None:
        known = ", ".join(ATTACHMENTS)
        raise InvalidInput.one("type", f"there is no attachment of type {given.type!r}; there are {known}", given.type)
    parsed(model, given.data)
