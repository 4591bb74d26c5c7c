"""The main job: a sync beside the embedder alone, a search beside numpy over the same vectors in memory."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import numpy as np

from agent.app import Agent, open_agent
from agent.demo.shop import QUESTION, Shop
from agent.resources.embedders import open_embedder
from agent.settings import Settings
from benchmarks.pairs import Comparison, compare
from shared.clock import SystemClock
from shared.models import ConnectionInput, Job, JobInput, KnowledgeBaseInput, SearchInput
from shared.states import FINAL, RunState

ROWS = 20_000
_BASE = "orders_kb"


async def measure() -> list[Comparison]:
    async with _agent() as (agent, shop):
        return [await _sync(agent, shop), await _search(agent, shop)]


async def _sync(agent: Agent, shop: Shop) -> Comparison:
    """A rebuild of 20,000 rows: read, embedded, stored, searchable; every time all of them."""
    job = await _create_job(agent, "kb-reset")
    texts = _texts(shop)
    embedder = open_embedder("wordllama")

    async def ours() -> float:
        return await _run(agent, job)

    async def theirs() -> float:
        began = time.perf_counter()
        await asyncio.to_thread(embedder.embed, texts)
        return time.perf_counter() - began

    return await compare(f"kb-reset of {ROWS:,} rows", ours, "the embedder alone on their texts", theirs)


async def _search(agent: Agent, shop: Shop) -> Comparison:
    """A vector search by the agent beside the same question over a matrix in memory, embedding included in both."""
    embedder = open_embedder("wordllama")
    matrix = await asyncio.to_thread(embedder.embed, _texts(shop))
    caller = agent.core.gate.local()
    query = SearchInput(query=QUESTION, mode="vector", limit=10)
    times = 50

    async def ours() -> float:
        began = time.perf_counter()
        for _ in range(times):
            await agent.core.world.search(caller, _BASE, query)
        return (time.perf_counter() - began) / times

    async def theirs() -> float:
        began = time.perf_counter()
        for _ in range(times):
            scores = matrix @ embedder.embed([QUESTION])[0]
            np.argsort(scores[np.argpartition(scores, -10)[-10:]])
        return (time.perf_counter() - began) / times

    return await compare(f"vector search over {ROWS:,} rows", ours, "numpy, exact, in memory", theirs)


async def _create_job(agent: Agent, type_: str) -> Job:
    data = {
        "source_table": "orders_db.orders",
        "knowledge_base": _BASE,
        "content_columns": ["product", "description"],
        "filter_column": "updated_at",
    }
    return await agent.core.jobs.create(agent.core.gate.local(), JobInput(name=type_, type=type_, data=data))


async def _run(agent: Agent, job: Job) -> float:
    """Seconds from the start of the driver's code to its end, as the run records them."""
    core, caller, changed = agent.core, agent.core.gate.local(), asyncio.Event()
    stop_listening = core.store.subscribe(lambda _events: changed.set())
    run = await core.jobs.run_now(caller, job.id)
    while run.state not in FINAL:
        changed.clear()
        run = await core.runs.get(caller, run.id)
        if run.state not in FINAL:
            await changed.wait()
    stop_listening()
    if run.state is not RunState.COMPLETED or run.started_at is None or run.finished_at is None:
        raise RuntimeError(f"the run {run.state}: {run.error}")
    return (run.finished_at - run.started_at).total_seconds()


@asynccontextmanager
async def _agent() -> AsyncIterator[tuple[Agent, Shop]]:
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as folder:
        shop = Shop(Path(folder, "orders.db"), SystemClock(), random.Random(1))  # noqa: S311  (repeatable data)
        await shop.stock(ROWS)
        agent = await open_agent(Settings(data_dir=Path(folder, "agent"), bind="", workers=1))
        await agent.start()
        try:
            caller = agent.core.gate.local()
            await agent.core.world.create_connection(caller, ConnectionInput(name="orders_db", url=shop.url))
            await agent.core.world.create_knowledge_base(caller, KnowledgeBaseInput(name=_BASE))
            yield agent, shop
        finally:
            await agent.stop()


def _texts(shop: Shop) -> list[str]:
    with closing(sqlite3.connect(shop.path)) as database:
        return [f"{product}\n{text}" for product, text in database.execute("SELECT product, description FROM orders")]
