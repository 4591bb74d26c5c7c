"""A thousand jobs due in one moment: when does the driver's code of each begin? Beside APScheduler, in memory."""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.app import Agent
from agent.store import STORE_FILE
from benchmarks.agents import create_job, working_agent
from benchmarks.noop import installed
from benchmarks.pairs import Comparison, compare
from benchmarks.peers import apscheduler_memory
from shared.models import Event
from shared.states import FINAL
from tests.harness.crowd import copy_jobs

DUE = 1_000
_LONGEST = 300
"""Seconds after which those that have not begun will not."""


async def measure() -> list[Comparison]:
    """From the moment of the fires to the start of the driver's code, of the slowest in a hundred."""
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as name, installed(Path(name, "drivers")):
        async with working_agent(Path(name, "agent"), workers=4) as agent:

            async def ours() -> float:
                due = _soon()
                starts = _Starts(agent)
                await _create(agent, due)
                return _p99(await starts.delays(due))

            async def theirs() -> float:
                return _p99(await asyncio.to_thread(apscheduler_memory.delays, DUE, _soon()))

            return [await compare(f"{DUE:,} jobs due at once, p99", ours, "APScheduler, in memory", theirs, pairs=9)]


async def _create(agent: Agent, due: datetime) -> None:
    """One through the agent, which from then on knows when to look; the others are copies of it: a thousand requests
    may take longer than until they are due, and what is published after its moment never fires."""
    await create_job(agent, f"{due:%H:%M:%S}", "noop", interval_type="once", interval=f"{due:%Y-%m-%dT%H:%M:%S}")
    _, before = await agent.sql.list_jobs(agent.settings.account, limit=1)
    await asyncio.to_thread(copy_jobs, agent.settings.data_dir / STORE_FILE, DUE, since=before)
    if datetime.now(UTC) >= due:
        raise RuntimeError(f"the machine is too slow: it took longer than until {due} to write {DUE} jobs")


class _Starts:
    """When the driver's code of the next `DUE` runs began."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._ended: list[str] = []
        self._all = asyncio.Event()
        self._stop = agent.core.store.subscribe(self._hear)

    async def delays(self, due: datetime) -> list[float]:
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + _LONGEST):
                await self._all.wait()
        except TimeoutError:
            raise RuntimeError(
                f"{len(self._ended)} of {DUE} runs have ended {_LONGEST} s after they were due"
            ) from None
        finally:
            self._stop()
        return [await self._delay(run_id, due) for run_id in self._ended]

    async def _delay(self, run_id: str, due: datetime) -> float:
        """As it is stored: what events tell has no microseconds."""
        run = await self._agent.sql.get_run(self._agent.settings.account, run_id)
        assert run.started_at is not None
        return (run.started_at - due).total_seconds()

    def _hear(self, events: Sequence[Event]) -> None:
        ended = (event for event in events if event.kind == "run.changed" and event.data["state"] in FINAL)
        self._ended += [event.subject_id for event in ended]
        if len(self._ended) >= DUE:
            self._all.set()


def _soon() -> datetime:
    """Far enough for all jobs to be there before."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)


def _p99(delays: Sequence[float]) -> float:
    return sorted(delays)[math.ceil(0.99 * len(delays)) - 1]
