"""Runs: read, cancelled, run again."""

from __future__ import annotations

import builtins
import math
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from agent.core.permissions.access import Access
from agent.core.permissions.callers import Caller, Scope
from agent.core.permissions.rules import Act, seen_by
from agent.core.ports import LogStore, Store
from agent.core.records import LogSearch, NewRun, RunPage, RunQuery, Tally
from agent.core.running.variants import act_of
from shared.clock import Clock
from shared.errors import Conflict, InvalidInput, NotFound, StaleVersion, Unreadable
from shared.filters import parse
from shared.ids import NewId
from shared.models import LogHits, LogPage, Policies, Run, Step
from shared.states import FINAL

_PAGE = 1000
"""Lines of a finished log that are sent at once."""


class Runs:
    def __init__(self, store: Store, logs: LogStore, clock: Clock, new_id: NewId, undo_delay: timedelta) -> None:
        self._store = store
        self._access = Access(store)
        self._logs = logs
        self._clock = clock
        self._new_id = new_id
        self._undo_delay = undo_delay

    async def list(
        self, caller: Caller, *, filter: str = "", job_id: str | None = None,  # noqa: A002  (the API's own word)
        before: int | None = None, after: int | None = None, limit: int = 50, sort: str = "-number",
    ) -> list[Run]:  # fmt: skip
        page = await self.page(
            caller, filter=filter, job_id=job_id, before=before, after=after, limit=limit, sort=sort, seconds=math.inf
        )
        return page.runs

    async def page(
        self, caller: Caller, *, filter: str = "", job_id: str | None = None,  # noqa: A002
        before: int | None = None, after: int | None = None, limit: int = 50, sort: str = "-number",
        seconds: float = 0.5,
    ) -> RunPage:  # fmt: skip
        """What is found within about that time, and where to go on."""
        caller.require(Scope.READ)
        where = parse(filter, "run") if filter else None
        query = RunQuery(caller.account_id, where, job_id, before, after, limit, sort, seen_by(caller))
        return await self._store.page_runs(query, seconds)

    async def counts(self, caller: Caller, filter: str = "") -> dict[str, int]:  # noqa: A002
        return (await self.tally(caller, filter, math.inf)).counts

    async def tally(self, caller: Caller, filter: str = "", seconds: float = 1.0) -> Tally:  # noqa: A002
        """How many there are, as far as they can be counted within about that time."""
        caller.require(Scope.READ)
        where = parse(filter, "run") if filter else None
        return await self._store.tally_runs(caller.account_id, where, seconds, seen_by(caller))

    async def get(self, caller: Caller, run_id: str) -> Run:
        return await self._access.run(caller, run_id, Act.READ)

    async def steps(self, caller: Caller, run_id: str) -> builtins.list[Step]:
        run = await self.get(caller, run_id)
        return await self._store.steps(run.id)

    async def attempts(self, caller: Caller, run_id: str) -> builtins.list[dict[str, Any]]:
        run = await self.get(caller, run_id)
        return await self._store.attempts(run.id)

    async def log(self, caller: Caller, run_id: str, start: int, limit: int) -> LogPage:
        run = await self.get(caller, run_id)
        page = await self._logs.read(run.id, start=start, limit=limit)
        page.complete = run.state in FINAL
        return page

    async def search_log(self, caller: Caller, run_id: str, wanted: LogSearch) -> LogHits:
        """What is found within half a second, and where to go on. InvalidInput without a text and a level."""
        if not wanted.text and wanted.level is None:
            raise InvalidInput.one("text", "must not be empty unless a level is given", wanted.text)
        run = await self.get(caller, run_id)
        return await self._logs.search(run.id, wanted)

    async def follow(self, caller: Caller, run_id: str, start: int) -> AsyncIterator[LogPage]:
        """Pages as they are written, until the run has ended; of one that has, what there is."""
        run = await self.get(caller, run_id)
        return self._stored(run.id, start) if run.state in FINAL else self._logs.follow(run.id, start)

    async def _stored(self, run_id: str, start: int) -> AsyncIterator[LogPage]:
        while True:
            page = await self._logs.read(run_id, start=start, limit=_PAGE)
            start = page.lines[-1].number + 1 if page.lines else page.total + 1
            page.complete = start > page.total
            yield page
            if page.complete:
                return

    async def cancel(self, caller: Caller, run_id: str, version: int | None = None, *, undoable: bool = False) -> Run:
        """A running run is asked, and reads `cancelled` only when none of its processes is left. One that waits is
        cancelled at once, or when it is `undoable` after `undo_delay`. Conflict if it has ended."""
        run = _current(await self._access.run(caller, run_id, Act.RUN), version)
        if _not_over(run).cancel_requested_at is not None and (undoable or run.cancel_due_at is None):
            return run
        now = self._clock.now()
        due = now + self._undo_delay if undoable else None
        grace = await self._grace(run)
        # with a deadline for a waiting run too: it may start before the request is written
        changed = await self._store.request_cancel([run.id], caller.handle, now + grace, now, due=due)
        return changed[0] if changed else _not_over(await self._store.get_run(caller.account_id, run_id))

    async def _grace(self, run: Run) -> timedelta:
        try:
            return (await self._store.definition(run.job_id, run.revision)).policies.kill_grace
        except Unreadable:
            return Policies().kill_grace

    async def uncancel(self, caller: Caller, run_id: str, version: int | None = None) -> Run:
        """Withdraw an undoable cancel, whoever asked for it. Conflict unless it still waits to take effect."""
        run = _current(await self._access.run(caller, run_id, Act.RUN), version)
        withdrawn = await self._store.withdraw_cancels([run.id], self._clock.now())
        if withdrawn:
            return withdrawn[0]
        run = await self._store.get_run(caller.account_id, run_id)
        raise Conflict(f"run {run.id} is {run.state}, and no cancel of it waits; there is nothing to undo")

    async def rerun(
        self, caller: Caller, run_id: str, version: int | None = None, *, own_revision: bool = False
    ) -> Run:
        """A new run that names the old one: of the job's current revision, or of the old one's own, which is an
        editor's to start where it is not the same; so is one that empties what was brought in. Conflict while the old one is active."""
        run = _current(await self._access.run(caller, run_id, Act.RUN), version)
        if run.state not in FINAL:
            raise Conflict(f"run {run.id} is {run.state}; it can be rerun when it has ended")
        try:
            job = await self._store.get_job(caller.account_id, run.job_id)
        except NotFound:
            raise Conflict(f"the job '{run.job_name}' of run {run.id} is deleted; it cannot be rerun") from None
        if own_revision and run.revision != job.revision:
            await self._access.of_job(caller, job.id, Act.RUN_OLD, f"job '{job.name}'")
        variant = await self._store.run_variant(run.id) if run.type != job.type else None
        if variant is not None:
            await self._access.of_job(caller, job.id, act_of(variant.kind), f"job '{job.name}'")
        now = self._clock.now()
        chained = job.policies.overlap != "allow"
        revision = run.revision if own_revision else None
        again = NewRun(
            self._new_id(), job.id, "rerun", None, now, chained=chained, original_run_id=run.id, revision=revision,
            variant=variant,
        )  # fmt: skip
        return (await self._store.insert_runs([again], now))[0]


def _not_over(run: Run) -> Run:
    if run.state in FINAL:
        raise Conflict(f"run {run.id} is {run.state} already; there is nothing to cancel")
    return run


def _current(run: Run, version: int | None) -> Run:
    if version is not None and run.version != version:
        raise StaleVersion(f"run {run.id} is {run.state} now (version {run.version}, not {version}); look again")
    return run
