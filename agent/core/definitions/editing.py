"""Changing a part of a definition, wherever it stands: of a job, which publishes, or of a draft, which does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakValueDictionary

from agent.core.definitions.drafts import Drafts, finished
from agent.core.jobs.jobs import Jobs
from agent.core.permissions.callers import Caller
from shared.errors import NotFound, StaleVersion
from shared.models import Draft, DraftInput, Job, JobInput

_TRIES = 5


class Editing:
    """What has sub-resources is edited through this: actions, attachments, datasets."""

    def __init__(self, jobs: Jobs, drafts: Drafts) -> None:
        self._jobs = jobs
        self._drafts = drafts
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def head(self, caller: Caller, key: str) -> Job | Draft:
        """The job (by id, slug, `owner:slug`, name) or the caller's own draft (by id). NotFound."""
        try:
            return await self._jobs.get(caller, key)
        except NotFound:
            draft = await self._drafts.find(caller, key)
            if draft is None:
                raise
            return draft

    async def definition(self, caller: Caller, key: str) -> tuple[JobInput, Job | Draft]:
        """What it says now, and what it is."""
        head = await self.head(caller, key)
        return (head.definition if isinstance(head, Draft) else await self._jobs.definition(head)), head

    async def replace(self, caller: Caller, key: str, given: DraftInput, expected_version: int | None) -> Job | Draft:
        """Publish it as the job's next revision; or put it into the draft, as unfinished as it is."""
        head = await self.head(caller, key)
        if isinstance(head, Draft):
            return await self._drafts.put(caller, head, given, expected_version)
        return await self._jobs.replace(caller, head.id, finished(given), expected_version)

    async def delete(self, caller: Caller, key: str, expected_version: int | None) -> None:
        head = await self.head(caller, key)
        if isinstance(head, Draft):
            await self._drafts.discard(caller, head.id, expected_version)
        else:
            await self._jobs.delete(caller, head.id, expected_version)

    async def change(
        self, caller: Caller, key: str, make: Callable[[JobInput], JobInput], expected_version: int | None = None
    ) -> Job | Draft:
        """Let `make` say what the definition becomes; it must not change the one that it is given, may raise, and is
        called anew when somebody else changed it meanwhile. A job's next revision is checked as every one is. Changes of
        the same thing through one agent go one after the other: many at once are not refused for each other's sake.

        `expected_version`: of the job or the draft; StaleVersion if that is not its version now.
        """
        async with self._turns.setdefault((caller.account_id, key), asyncio.Lock()):
            for _ in range(_TRIES - 1):
                try:
                    return await self._change(caller, key, make, expected_version)
                except StaleVersion:
                    if expected_version is not None:
                        raise
            return await self._change(caller, key, make, expected_version)

    async def _change(
        self, caller: Caller, key: str, make: Callable[[JobInput], JobInput], expected_version: int | None
    ) -> Job | Draft:
        definition, head = await self.definition(caller, key)
        expected = head.version if expected_version is None else expected_version
        changed = make(definition)
        if isinstance(head, Draft):
            return await self._drafts.put(caller, head, changed, expected)
        return await self._jobs.replace(caller, head.id, changed, expected)
