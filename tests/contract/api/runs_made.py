"""Runs in any state, put into an agent's store by the verbs that workers use."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from agent.core.driving import Needs
from agent.core.jobs.jobs import slug_of
from agent.core.permissions.callers import Caller
from agent.core.ports import Store
from agent.core.records import ClaimedRun, JobChange, NewJob, Outcome, RunUpdate
from shared.ids import new_id
from shared.models import Job, Run, RunError
from tests.contract.store.making import Maker, definition, fence, marks
from tests.harness.agent import RunningAgent

NOTHING = Needs()
ERROR = RunError(kind="refused", message="connection refused", fingerprint="f1")


class RunMaker:
    """Jobs of any type and their runs, in the account of the agent's own user unless told otherwise."""

    def __init__(self, agent: RunningAgent, account: str | None = None, owner: str | None = None) -> None:
        self.agent = agent
        self.store: Store = agent.core.store
        self.account = account or self.caller.account_id
        self._owner = owner
        self._make = Maker(self.store)

    @property
    def caller(self) -> Caller:
        local: Caller = self.agent.core.gate.local()
        return local

    @property
    def now(self) -> datetime:
        return self.agent.clock.now()

    async def job(
        self, name: str = "Orders", type: str = "command", needs: Needs = NOTHING, **fields: Any  # noqa: A002
    ) -> Job:  # fmt: skip
        given = definition(name, type=type, **fields)
        owner = self._owner or (await self.store.find_owner(self.account))[0]
        new = NewJob(new_id(), self.account, owner, slug_of(name), given, marks(), needs=needs)
        return await self.store.insert_job(new, self.now)

    async def republish(self, job: Job, needs: Needs) -> Job:
        """As the next revision, with other things to work with."""
        given = await self.store.definition(job.id)
        change = JobChange(job.id, given, marks(), "anna-id", needs=needs)
        return await self.store.replace_job(change, None, self.now)

    async def run(self, job: Job, state: str = "pending", **said: Any) -> Run:
        """`progress`: (done, total); `result`; `error`; `took`: seconds; the other runs of the agent must not wait."""
        run = await self._make.run(job, now=self.now, due=self.now, chained=False)
        return run if state == "pending" else await self.moved(run, state, **said)

    async def moved(self, run: Run, state: str, **said: Any) -> Run:
        if state == "cancelled" and "progress" not in said:
            await self.store.request_cancel([run.id], "operator", None, self.now)
            return await self.read(run)
        claimed = await self.claimed(run)
        if "progress" in said:
            done, total = said["progress"]
            shown = {"done": done, "total": total, "unit": "rows", "note": ""}
            await self.store.update_runs([RunUpdate(fence(claimed), progress=shown)], self.now)
        if state != "running":
            await self.store.finish([self._outcome(claimed, state, said)], self.now)
        return await self.read(run)

    async def claimed(self, run: Run) -> ClaimedRun:
        found = await self.store.claim([f"w-{run.number}"], "agent-1", self.now + timedelta(hours=1), self.now)
        [claimed] = found
        assert claimed.run.id == run.id, "another run was waiting"
        return claimed

    async def finish(self, claimed: ClaimedRun, state: str, **said: Any) -> None:
        await self.store.finish([self._outcome(claimed, state, said)], self.now)

    async def read(self, run: Run) -> Run:
        return await self.store.get_run(self.account, run.id)

    def _outcome(self, claimed: ClaimedRun, state: Any, said: dict[str, Any]) -> Outcome:
        ended = self.now + timedelta(seconds=said.get("took", 0))
        error = said.get("error", ERROR if state in ("failed", "retrying") else None)
        retry_at = self.now + timedelta(hours=1) if state == "retrying" else None
        return Outcome(fence(claimed), state, ended, said.get("result"), error, retry_at)
