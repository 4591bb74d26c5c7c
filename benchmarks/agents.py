"""Agents for the bench: the real thing in this process, with its real workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from agent.app import Agent, open_agent, settle_memory
from agent.settings import Settings
from shared.models import Event, Job, JobInput, Run
from shared.models.job import Policies
from shared.states import FINAL


class Caller:
    """Who submits runs of one job and awaits their ends."""

    def __init__(self, agent: Agent, job: Job) -> None:
        self._core = agent.core
        self._job = job
        self._who = agent.core.gate.local()
        self._ends: dict[str, asyncio.Future[str]] = {}
        self._early: dict[str, str] = {}
        agent.core.store.subscribe(self._hear)

    async def call(self) -> Run:
        """Submit one and wait until its end is stored; the run as it was submitted."""
        run = await self._core.jobs.run_now(self._who, self._job.id)
        await self.ended(run.id)
        return run

    async def call_by_http(self, client: httpx.AsyncClient) -> str:
        """The same through the API; the run's id."""
        answer = await client.post(f"/api/jobs/{self._job.id}")
        run_id = str(answer.raise_for_status().json()["id"])
        await self.ended(run_id)
        return run_id

    async def call_in_bulk(self, client: httpx.AsyncClient, again: Sequence[str]) -> None:
        """Runs that have ended once more, all by one request."""
        body = {"act": "rerun", "runs": [{"id": run_id} for run_id in again]}
        answer = await client.post("/api/runs/_bulk", json=body)
        items = answer.raise_for_status().json()["items"]
        await asyncio.gather(*(self.ended(item["run"]["id"]) for item in items))

    async def ended(self, run_id: str) -> None:
        """Wait until its end is stored; RuntimeError unless it completed."""
        state = self._early.pop(run_id, None)
        if state is None:
            self._ends[run_id] = asyncio.get_running_loop().create_future()
            state = await self._ends[run_id]
            del self._ends[run_id]
        if state != "completed":
            raise RuntimeError(f"run {run_id} {state}")

    async def read(self, run: Run) -> Run:
        return await self._core.runs.get(self._who, run.id)

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.kind == "run.changed" and event.data["state"] in FINAL:
                waiting = self._ends.get(event.subject_id)
                if waiting is None:
                    self._early[event.subject_id] = event.data["state"]
                else:
                    waiting.set_result(event.data["state"])


@asynccontextmanager
async def working_agent(data_dir: Path, *, workers: int) -> AsyncIterator[Agent]:
    agent = await open_agent(Settings(data_dir=data_dir, bind="", workers=workers))
    await agent.start()
    settle_memory()  # as its own process does
    try:
        yield agent
    finally:
        await agent.stop()


async def create_job(agent: Agent, name: str, type_: str, **definition: object) -> Job:
    """Runs of it may overlap."""
    policies = Policies(overlap="allow")
    given = JobInput.model_validate({"name": name, "type": type_, "policies": policies, **definition})
    return await agent.core.jobs.create(agent.core.gate.local(), given)
