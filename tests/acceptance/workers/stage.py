"""A pool with its sinks recorded, and looks at real processes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.core.wire import Ended, Logged, Order, RunMessage, Settling
from agent.workers import processes
from agent.workers.pool import LocalExecutor
from shared.clock import SystemClock
from shared.ids import new_id
from tests.harness.telling import PATIENCE, remember, tell_state

PLUGINS = Path(__file__).parent / "plugins"


def alive(pid: int) -> bool:
    """A zombie is not: it runs no code."""
    process = processes.find(pid)
    return process is not None and not process.zombie


async def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait for the state that is meant; AssertionError with what there is to see."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s; last: {found!r}\n{tell_state()}"
        await asyncio.sleep(0.01)
    return found


def pids_in(path: Path, count: int) -> list[int] | None:
    """The pids that a run's processes wrote down, once there are `count` whole lines."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    whole = [int(line) for line in lines if line.endswith("\n")]
    return whole if len(whole) >= count else None


@dataclass
class Ending:
    worker_id: str
    ended: Ended | None
    message: RunMessage
    at: float
    survivors: list[int]
    """Watched processes that still lived when the executor said that it is over: must be none, always."""


@dataclass
class Stage:
    executor: LocalExecutor
    folder: Path
    events: list[RunMessage] = field(default_factory=list)
    endings: dict[str, Ending] = field(default_factory=dict)
    watched: list[int] = field(default_factory=list)
    slow: float = 0.0
    full: bool = False
    """Nothing is stored, and no worker told that it is."""

    def tell(self) -> str:
        """Of the pool and its runs, as far as they were told here."""
        workers = [f"{worker.pid} {worker.state} {worker.run_id or ''}" for worker in self.executor.workers()]
        endings = {run_id: ending.ended for run_id, ending in self.endings.items()}
        return f"workers {workers}, endings {endings}, last events {self.events[-10:]}"

    async def on_event(self, worker_id: str, event: RunMessage) -> None:
        self.events.append(event)
        if isinstance(event, Settling) and not self.full:
            self.executor.settled(event.run_id)
        if self.slow:
            await asyncio.sleep(self.slow)

    async def on_end(self, worker_id: str, ended: Ended | None, message: RunMessage) -> None:
        assert message.run_id not in self.endings, "told twice"
        left = [pid for pid in self.watched if alive(pid)]
        self.endings[message.run_id] = Ending(worker_id, ended, message, time.monotonic(), left)

    async def give(self, entry: str, data: dict[str, Any] | None = None, **fields: Any) -> str:
        """Hand a run to the next idle worker; its id."""
        worker = (await until(self.executor.idle_workers))[0]
        order = self.order(entry, data, **fields)
        self.executor.execute(worker, order)
        return order.run_id

    def order(self, entry: str, data: dict[str, Any] | None = None, **fields: Any) -> Order:
        run_id = new_id()
        known: dict[str, Any] = {
            "run_id": run_id,
            "attempt": 1,
            "job_id": "j",
            "job_name": "Job",
            "account_id": "a",
            "owner_id": "o",
            "type": "test",
            "entry": entry if ":" in entry else f"jobdeck_test_drivers:{entry}",
            "data": data or {},
            "scratch": str(self.folder / "scratch" / run_id),
        }
        return Order(**{**known, **fields})

    async def ending(self, run_id: str, seconds: float = PATIENCE) -> Ending:
        return await until(lambda: self.endings.get(run_id), seconds)  # type: ignore[no-any-return]

    async def run(self, entry: str, data: dict[str, Any] | None = None, **fields: Any) -> Ended:
        ending = await self.ending(await self.give(entry, data, **fields))
        assert ending.ended is not None
        return ending.ended

    def of(self, run_id: str, kind: type[RunMessage]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind) and event.run_id == run_id]

    def log(self, run_id: str, stream: str | None = None) -> list[str]:
        lines = [line for event in self.of(run_id, Logged) for line in event.lines]
        return [line.text for line in lines if stream is None or line.stream == stream]

    async def ready(self, run_id: str) -> None:
        """Wait until the run's log says so."""
        await until(lambda: "ready" in self.log(run_id))


def new_stage(folder: Path, size: int = 1, **options: Any) -> Stage:
    executor = LocalExecutor(
        size=size,
        data_dir=folder / "data",
        agent_id="agent",
        clock=SystemClock(),
        new_id=new_id,
        extra_paths=[PLUGINS],
        **options,
    )
    stage = Stage(executor, folder)
    remember(stage)
    return stage


def worker_processes() -> list[int]:
    """Keepers and workers below this process."""
    found = processes.descendants(os.getpid(), processes.table())
    return [process.pid for process in found if b"agent.workers.main" in _command(process.pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
