"""A hundred thousand jobs that are there and not due: what a start takes, what memory, and what it costs to wait."""

from __future__ import annotations

import asyncio
import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.store import STORE_FILE
from benchmarks.agents import create_job, working_agent
from benchmarks.pairs import Comparison, compare
from benchmarks.peers import apscheduler_memory
from tests.harness.agent_process import agent_process
from tests.harness.crowd import copy_jobs

THERE = 100_000
_SETTLE, _IDLE = 10.0, 30.0
"""Seconds after a start before its idleness is looked at, and for how long."""
_CPU_LIMIT = 0.3
"""Per cent of one core."""
_TURNS = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """What is not a time: `ours` beside `theirs`, each in `unit`; `spread` is the lowest and the highest of ours."""

    name: str
    beside: str
    unit: str
    ours: float
    theirs: float
    spread: tuple[float, float]

    def __str__(self) -> str:
        low, high = self.spread
        return (
            f"{self.name:<44} {self.ours:>10.2f} {self.unit:<4} {self.beside:<40} {self.theirs:>10.2f} {self.unit:<4} "
            f"ratio {self.ours / self.theirs if self.theirs else math.inf:.2f} ({low:.2f} to {high:.2f} {self.unit})"
        )


@dataclass(frozen=True, slots=True)
class _Waited:
    memory: float
    """Megabytes of the agent's own process."""
    cpu: float
    """Per cent of one core, of the agent and all its workers."""


async def measure() -> list[Comparison | Figure]:
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as name:
        many, one = await _folder(Path(name, "many"), THERE), await _folder(Path(name, "one"), 1)
        return [await _start(many), *await asyncio.to_thread(_waiting, many, one)]


async def _folder(data_dir: Path, jobs: int) -> Path:
    """A yearly job and copies of it: nothing is due while somebody measures."""
    async with working_agent(data_dir, workers=2) as agent:
        yearly = {"interval_type": "cron", "interval": "0 3 1 1 *"}
        await create_job(agent, "yearly", "command", data={"command": ["true"]}, **yearly)
    copy_jobs(data_dir / STORE_FILE, jobs)
    return data_dir


async def _start(data_dir: Path) -> Comparison:
    async def ours() -> float:
        began = time.perf_counter()
        async with working_agent(data_dir, workers=2):
            return time.perf_counter() - began

    async def theirs() -> float:
        return await asyncio.to_thread(apscheduler_memory.start_with, THERE)

    return await compare(f"start with {THERE:,} jobs", ours, "APScheduler, in memory", theirs)


def _waiting(many: Path, one: Path) -> list[Figure]:
    """Agents as processes of their own, with their workers, in turn."""
    seen = [(_wait(many), _wait(one)) for _ in range(_TURNS)]
    return [
        _figure(f"memory with {THERE:,} jobs", "with one job", "MB", [(each.memory, few.memory) for each, few in seen]),
        _figure(f"CPU while {THERE:,} jobs wait", "while one waits", "%", [(each.cpu, few.cpu) for each, few in seen]),
        _figure(f"CPU while {THERE:,} jobs wait", "limit", "%", [(each.cpu, _CPU_LIMIT) for each, _ in seen]),
    ]


def _wait(data_dir: Path) -> _Waited:
    with agent_process(data_dir, "--workers", "2", cold=True) as agent:
        assert agent.process is not None
        process = psutil.Process(agent.process.pid)
        time.sleep(_SETTLE)
        before = _spent(process)
        time.sleep(_IDLE)  # what is measured
        return _Waited(process.memory_info().rss / 1e6, (_spent(process) - before) / _IDLE * 100)


def _spent(process: psutil.Process) -> float:
    """CPU seconds of the process and all below it."""
    return sum(sum(each.cpu_times()[:2]) for each in [process, *process.children(recursive=True)])


def _figure(name: str, beside: str, unit: str, pairs: Sequence[tuple[float, float]]) -> Figure:
    ours, theirs = zip(*pairs, strict=True)
    return Figure(name, beside, unit, statistics.median(ours), statistics.median(theirs), (min(ours), max(ours)))
