"""Many jobs: all due in one moment, and a start with all of them there. Beside APScheduler, whose jobs live in memory."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
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

DUE = 1_000
THERE = 100_000
_PEER = "APScheduler, in memory"


async def measure() -> list[Comparison]:
    return [await _due_at_once(), await _start()]


async def _due_at_once() -> Comparison:
    """From the moment of the fires to the start of the driver's code, of the slowest in a hundred."""
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as name, installed(Path(name, "drivers")):
        async with working_agent(Path(name, "agent"), workers=4) as agent:

            async def ours() -> float:
                due = _soon()
                starts = _Starts(agent)
                jobs = (create_job(agent, f"{due:%H%M%S%f} {n}", "noop", **_once(due)) for n in range(DUE))
                await asyncio.gather(*jobs)
                return _p99(await starts.delays(due))

            async def theirs() -> float:
                return _p99(await asyncio.to_thread(apscheduler_memory.delays, DUE, _soon()))

            return await compare(f"{DUE:,} jobs due at once, p99", ours, _PEER, theirs)


async def _start() -> Comparison:
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as name, installed(Path(name, "drivers")):
        data_dir = Path(name, "agent")
        async with working_agent(data_dir, workers=2) as agent:
            await create_job(agent, "daily", "noop", interval_type="cron", interval="0 3 * * *")
        _copy_job(data_dir / STORE_FILE, THERE - 1)

        async def ours() -> float:
            began = time.perf_counter()
            async with working_agent(data_dir, workers=2):
                return time.perf_counter() - began

        async def theirs() -> float:
            return await asyncio.to_thread(apscheduler_memory.start_with, THERE)

        return await compare(f"start with {THERE:,} jobs", ours, _PEER, theirs)


class _Starts:
    """When the driver's code of the next `DUE` runs began."""

    def __init__(self, agent: Agent) -> None:
        self._at: list[datetime] = []
        self._all = asyncio.Event()
        self._stop = agent.core.store.subscribe(self._hear)

    async def delays(self, due: datetime) -> list[float]:
        await self._all.wait()
        self._stop()
        return [(at - due).total_seconds() for at in self._at]

    def _hear(self, events: Sequence[Event]) -> None:
        ended = (event.data for event in events if event.kind == "run.changed" and event.data["state"] in FINAL)
        self._at += [datetime.fromisoformat(run["startedAt"]) for run in ended]
        if len(self._at) >= DUE:
            self._all.set()


def _soon() -> datetime:
    """Far enough for all jobs to be there before."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=20)


def _once(due: datetime) -> dict[str, object]:
    return {"interval_type": "once", "interval": f"{due:%Y-%m-%dT%H:%M:%S}"}


def _p99(delays: Sequence[float]) -> float:
    return sorted(delays)[math.ceil(0.99 * len(delays)) - 1]


def _copy_job(path: Path, copies: int) -> None:
    """The store's one job again and again, each under a name of its own; its first definition serves all."""
    with closing(sqlite3.connect(path)) as store, store:
        generated = {"number", "id", "name", "name_key", "slug"}
        stored = [column for _, column, *_, hidden in store.execute("PRAGMA table_xinfo(jobs)") if not hidden]
        columns = ", ".join(column for column in stored if column not in generated)
        store.execute(
            f"WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ?) "  # noqa: S608
            f"INSERT INTO jobs (id, name, name_key, slug, {columns}) "
            f"SELECT id || n, name || n, name_key || n, slug || n, {columns} FROM jobs, copy",
            (copies,),
        )
