"""A durable run that does nothing, all of it: stored, claimed under its fence, executed in a worker process, its end
stored. Beside huey over SQLite with an fsync at each commit, whose task is a function in a thread of its consumer. Two
workers on either side: processes here, which are renewed as often as the settings say, threads there."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from agent.app import Agent
from benchmarks.agents import Caller, create_job, working_agent
from benchmarks.noop import installed
from benchmarks.pairs import Comparison, Measure, compare
from benchmarks.peers.huey_consumer import Consumer, call, consumer

CALLERS = 32
BULK = 200
PAIRS = 9
"""Of what takes a moment each time: the machine's own noise is as large as what is compared."""
_HUEY = "huey, SQLite, fsync, 2 workers"


async def measure() -> list[Comparison]:
    async with _both() as (ours, theirs):
        return [
            await compare(
                "a durable run, one at a time", ours.one_by_one(100), _HUEY, theirs.one_by_one(100), pairs=PAIRS
            ),
            await compare(f"a durable run, {CALLERS} callers", ours.together(192), _HUEY, theirs.together(192)),
            await compare(f"by HTTP, {CALLERS} callers", ours.by_http(192), _HUEY, theirs.together(192)),
            await compare(f"by HTTP, {BULK} in one request", ours.in_bulk(), _HUEY, theirs.together(192)),
            await compare(
                "from submission to the driver's code", ours.latency(30), _HUEY, theirs.latency(30), pairs=PAIRS
            ),
            await compare("a durable run, one at a time", ours.one_by_one(30), "one fdatasync", _probe(ours.folder)),
        ]


class _Ours:
    def __init__(self, caller: Caller, folder: Path, client: httpx.AsyncClient) -> None:
        self.folder = folder
        self._caller = caller
        self._client = client

    def one_by_one(self, count: int) -> Measure:
        async def work() -> None:
            for _ in range(count):
                await self._caller.call()

        return _each(work, count)

    def together(self, count: int) -> Measure:
        async def one_caller() -> None:
            for _ in range(count // CALLERS):
                await self._caller.call()

        async def work() -> None:
            await asyncio.gather(*(one_caller() for _ in range(CALLERS)))

        return _each(work, count)

    def by_http(self, count: int) -> Measure:
        async def one_caller() -> None:
            for _ in range(count // CALLERS):
                await self._caller.call_by_http(self._client)

        async def work() -> None:
            await asyncio.gather(*(one_caller() for _ in range(CALLERS)))

        return _each(work, count)

    def in_bulk(self) -> Measure:
        """Run again what has ended; the warm-up of `compare` makes what there is to run again."""
        ended: list[str] = []

        async def work() -> None:
            if not ended:
                calls = (self._caller.call_by_http(self._client) for _ in range(BULK))
                ended.extend(await asyncio.gather(*calls))
            await self._caller.call_in_bulk(self._client, ended)

        return _each(work, BULK)

    def latency(self, count: int) -> Measure:
        async def one() -> float:
            submitted = time.time()
            run = await self._caller.read(await self._caller.call())
            assert run.started_at is not None
            return run.started_at.timestamp() - submitted

        return _median_at_20_a_second(one, count)


class _Theirs:
    def __init__(self, huey: Consumer, threads: ThreadPoolExecutor) -> None:
        self._huey = huey
        self._threads = threads

    def one_by_one(self, count: int) -> Measure:
        return self._at_work(_each(lambda: self._calls(count), count))

    def together(self, count: int) -> Measure:
        async def work() -> None:
            await asyncio.gather(*(self._calls(count // CALLERS) for _ in range(CALLERS)))

        return self._at_work(_each(work, count))

    def latency(self, count: int) -> Measure:
        async def one() -> float:
            submitted = time.time()
            return await asyncio.get_running_loop().run_in_executor(self._threads, call, self._huey.task) - submitted

        return self._at_work(_median_at_20_a_second(one, count))

    def _at_work(self, measure: Measure) -> Measure:
        async def measured() -> float:
            with self._huey.at_work():
                return await measure()

        return measured

    async def _calls(self, count: int) -> None:
        def all_of_them() -> None:
            for _ in range(count):
                call(self._huey.task)

        await asyncio.get_running_loop().run_in_executor(self._threads, all_of_them)


@asynccontextmanager
async def _both() -> AsyncIterator[tuple[_Ours, _Theirs]]:
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as name, ThreadPoolExecutor(CALLERS) as threads:
        folder = Path(name)
        with installed(folder / "drivers"), consumer(folder) as huey:
            async with working_agent(folder / "agent", workers=2) as agent:
                caller = Caller(agent, await create_job(agent, "noop", "noop"))
                async with _client(agent) as client:
                    yield _Ours(caller, folder, client), _Theirs(huey, threads)


def _client(agent: Agent) -> httpx.AsyncClient:
    assert agent.listener is not None
    transport = httpx.AsyncHTTPTransport(uds=str(agent.listener.socket))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60)


def _each(work: Callable[[], Awaitable[None]], count: int) -> Measure:
    """Seconds for each of the `count` that `work` does."""

    async def measured() -> float:
        began = time.perf_counter()
        await work()
        return (time.perf_counter() - began) / count

    return measured


def _median_at_20_a_second(one: Callable[[], Coroutine[Any, Any, float]], count: int) -> Measure:
    async def measured() -> float:
        asked: list[asyncio.Task[float]] = []
        for _ in range(count):
            asked.append(asyncio.create_task(one()))
            await asyncio.sleep(1 / 20)
        return statistics.median(await asyncio.gather(*asked))

    return measured


def _probe(folder: Path) -> Measure:
    """What one commit cannot go below here: 4 KiB written over what is there, and on the disk."""
    count = 50

    def write() -> float:
        file = os.open(folder / "probe", os.O_RDWR | os.O_CREAT)
        began = time.perf_counter()
        for _ in range(count):
            os.pwrite(file, b"\1" * 4096, 0)
            os.fdatasync(file)
        taken = time.perf_counter() - began
        os.close(file)
        return taken / count

    async def measured() -> float:
        return await asyncio.to_thread(write)

    return measured
