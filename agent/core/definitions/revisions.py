"""A job's revisions: read, compared, and gone back to. Every act begins with who asks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agent.core.definitions.comparing import changes
from agent.core.jobs.jobs import Jobs
from agent.core.permissions.callers import Caller
from agent.core.ports import JobStore
from agent.core.scheduling.firing import schedule_of
from shared.clock import Clock
from shared.errors import Conflict, InvalidInput
from shared.models import Job, JobInput
from shared.models.applying import Difference
from shared.models.base import Instant, Resource
from shared.schedule import preview

FIRES = 5
"""So many of the next fires are compared."""


class NextFires(Resource):
    """Null: that schedule cannot be read."""

    before: list[Instant] | None
    after: list[Instant] | None


class Comparison(Resource):
    """`fields`: what differs. `nextFires`: when each of the two would fire from now on."""

    fields: list[Difference]
    next_fires: NextFires


class Revisions:
    def __init__(self, store: JobStore, jobs: Jobs, clock: Clock) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock

    async def list(self, caller: Caller, key: str, before: int | None, limit: int) -> list[dict[str, Any]]:
        """A page of them, newest first; those below `before`."""
        job = await self._jobs.get(caller, key)
        return await self._store.revisions(job.id, before, limit)

    async def get(self, caller: Caller, key: str, revision: int) -> dict[str, Any]:
        job = await self._jobs.get(caller, key)
        return await self._store.revision(job.id, revision)

    async def compare(self, caller: Caller, key: str, before: int, after: int) -> Comparison:
        job = await self._jobs.get(caller, key)
        one, other = [await self._jobs.definition(job, revision) for revision in (before, after)]
        return compared(one, other, job.created_at, self._clock.now())

    async def restore(self, caller: Caller, key: str, revision: int, expected_version: int | None) -> Job:
        """Publish an old definition again, to the byte, as the next revision. It is checked like any: what it names
        must be there now, and who goes back to a program needs `code`."""
        job = await self._jobs.get_to_edit(caller, key)
        if revision == job.revision:
            raise Conflict(f"the job '{job.slug}' is at revision {revision} already")
        old = await self._jobs.definition(job, revision)
        expected = job.version if expected_version is None else expected_version
        return await self._jobs.replace(caller, job.id, old, expected, restored_from=revision)


def compared(before: JobInput, after: JobInput, anchor: datetime, now: datetime) -> Comparison:
    """`anchor`: when the job was created, from which simple intervals count."""
    fires = NextFires(before=_next_fires(before, anchor, now), after=_next_fires(after, anchor, now))
    return Comparison(fields=changes(before, after), next_fires=fires)


def _next_fires(definition: JobInput, anchor: datetime, now: datetime) -> list[datetime] | None:
    if not definition.enabled:
        return []
    try:
        return preview(schedule_of(definition, anchor).spec, now, now, FIRES)
    except InvalidInput:
        return None
