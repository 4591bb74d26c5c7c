"""A log of 2 GB through the agent's API, beside the machine: its ends beside an answer with nothing in it, a search for
what stands in its last tenth beside grep on the same files. `JOBDECK_BENCH_LOG_LINES` for another size."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from agent.app import Agent
from agent.core.wire import WireLine
from benchmarks.agents import Caller, create_job, working_agent
from benchmarks.pairs import Comparison, Measure, compare
from shared.models.run import LogLevel
from shared.places import socket_path

LINES = int(os.environ.get("JOBDECK_BENCH_LOG_LINES", "20000000"))
_BATCH = 10_000
_ERRORS_FROM, _NEEDLE_AT = 0.5, 0.95
_NEEDLE = "lamp 4711 is not to be found"
_AT = datetime(2026, 3, 29, 2, 30, tzinfo=UTC)


async def measure() -> list[Comparison]:
    async with _long_log() as log:
        empty = log.asks("/healthz")
        size = f"of {LINES / 1e6:.3g} M lines"
        return [
            await compare(f"last page {size}", log.asks(log.path("?start=-200&limit=200")), "/healthz", empty),
            await compare(f"first error {size}", log.asks(log.path("/search?level=error")), "/healthz", empty),
            await compare(
                f"search {size}, as written", log.finds(_NEEDLE, match_case=True), "grep -F", log.grep("-F", _NEEDLE)
            ),
            await compare(
                f"search {size}, any case", log.finds(_NEEDLE.upper()), "grep -F -i", log.grep("-Fi", _NEEDLE)
            ),
        ]


class _LongLog:
    def __init__(self, client: httpx.AsyncClient, run_id: str, folder: Path) -> None:
        self._client = client
        self._run_id = run_id
        self._folder = folder

    def path(self, tail: str) -> str:
        return f"/api/runs/{self._run_id}/log{tail}"

    def asks(self, path: str) -> Measure:
        async def measured() -> float:
            began = time.perf_counter()
            (await self._client.get(path)).raise_for_status()
            return time.perf_counter() - began

        return measured

    def finds(self, text: str, *, match_case: bool = False) -> Measure:
        """Until the first hit: answer by answer, as whoever searches asks."""

        async def measured() -> float:
            began = time.perf_counter()
            wanted: dict[str, Any] = {"text": text, "matchCase": match_case}
            while True:
                answer = (await self._client.get(self.path("/search"), params=wanted)).raise_for_status().json()
                if answer["hits"]:
                    return time.perf_counter() - began
                wanted["start"] = answer["next"]

        return measured

    def grep(self, flags: str, text: str) -> Measure:
        """By bytes, which is how it is fastest."""
        files = sorted(self._folder.glob("*.log"))
        by_bytes = {**os.environ, "LC_ALL": "C"}
        argv = ["grep", "-a", "-h", "-m1", flags, text, *map(str, files)]

        def search() -> float:
            began = time.perf_counter()
            # killed at its first line: grep goes on to the next file otherwise
            with subprocess.Popen(argv, stdout=subprocess.PIPE, env=by_bytes) as grep:  # noqa: S603  (grep itself)
                assert grep.stdout is not None
                assert grep.stdout.readline()
                taken = time.perf_counter() - began
                grep.kill()
            return taken

        async def measured() -> float:
            return await asyncio.to_thread(search)

        return measured


@asynccontextmanager
async def _long_log() -> AsyncIterator[_LongLog]:
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as name:
        folder = Path(name)
        async with working_agent(folder, workers=1) as agent:
            job = await create_job(agent, "talkative", "command", data={"command": "true"})
            run = await Caller(agent, job).call()
            await _fill(agent, run.id)
            transport = httpx.AsyncHTTPTransport(uds=str(socket_path(folder)))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
                yield _LongLog(client, run.id, next((folder / "logs").glob(f"*/{run.id}")))


async def _fill(agent: Agent, run_id: str) -> None:
    """As a run that says all that would: with other lines in every batch."""
    for first in range(0, LINES, _BATCH):
        lines = [_line(number) for number in range(first, min(first + _BATCH, LINES))]
        await agent.logs.append(run_id, lines, [])
    await agent.logs.seal(run_id)


def _line(number: int) -> WireLine:
    text = f"order {number:09d} from the shop at the corner: lamp {number % 4000} packed, weighed and sent on its way"
    level: LogLevel = "error" if number >= LINES * _ERRORS_FROM and number % 1000 == 0 else "info"
    if number == int(LINES * _NEEDLE_AT):
        text = f"order {number:09d}: {_NEEDLE}"
    return WireLine.model_construct(at=_AT, level=level, stream="stdout", text=text)
