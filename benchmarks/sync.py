"""A sync of many rows by the real driver in a real worker, beside the embedder alone on the same texts: what reading,
comparing, storing and making searchable cost on top."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from agent.app import Agent
from agent.resources.embedders import open_embedder
from agent.resources.knowledge.client import KnowledgeReader
from agent.upkeep.layout import Layout
from benchmarks.agents import working_agent
from benchmarks.corpus import real_texts
from benchmarks.pairs import Comparison, Measure, compare
from benchmarks.peers import wordllama_alone
from shared.models import ConnectionInput, JobInput, KnowledgeBaseInput, Run
from shared.states import FINAL, RunState

ROWS = 100_000


async def measure() -> list[Comparison]:
    texts = await asyncio.to_thread(real_texts, ROWS)
    own = open_embedder("wordllama")
    async with syncing(texts) as source:
        with wordllama_alone.all_cores() as cores:
            alone = _timed(cores.embed, texts)
            first = await compare(_name("kb-sync"), source.first, "wordllama on all cores", alone)
            anew = await compare(_name("kb-reset"), source.anew, "wordllama on all cores", alone)
        ours = _timed(own.embed, texts)
        return [first, anew, await compare(_name("kb-sync"), source.first, "Jobdeck's embedder, one thread", ours)]


class Syncing:
    """Each measurement is of a knowledge base of its own."""

    def __init__(self, agent: Agent, rows: int) -> None:
        self.agent = agent
        self._rows = rows
        self._caller = agent.core.gate.local()
        self._names = (f"base_{number}" for number in itertools.count())

    async def first(self) -> float:
        """Into an empty knowledge base."""
        name = await self._create_base()
        seconds = await self._fill("kb-sync", name)
        await self.agent.core.world.delete_knowledge_base(self._caller, name)
        return seconds

    async def anew(self) -> float:
        """Beside the content that is there, swapped in, and the old one cleared away."""
        name = await self.keep()
        seconds = await self._fill("kb-reset", name)
        await self.agent.core.world.delete_knowledge_base(self._caller, name)
        return seconds

    async def keep(self) -> str:
        """A knowledge base with all rows, by its name."""
        name = await self._create_base()
        await self._fill("kb-sync", name)
        return name

    async def index(self, base: str) -> Run:
        """Its vector index is made; the run."""
        return await self._run("corpus-rebuild-vector-index", base, {"knowledge_base": base})

    async def folder(self, base: str) -> Path:
        """Where its files are."""
        found = await self.agent.core.world.get_knowledge_base(self._caller, base)
        return Path(KnowledgeReader(Layout(self.agent.settings.data_dir).knowledge).grant_path(found))

    async def _create_base(self) -> str:
        name = next(self._names)
        await self.agent.core.world.create_knowledge_base(self._caller, KnowledgeBaseInput(name=name))
        return name

    async def _fill(self, type_: str, base: str) -> float:
        """Seconds from the start of the driver's code to its end, as the run records them."""
        data = {
            "source_table": "source.texts",
            "knowledge_base": base,
            "content_columns": ["body"],
            "filter_column": "updated_at",
        }
        run = await self._run(type_, base, data)
        if run.result is None or run.result["rows_synced"] != self._rows:
            raise RuntimeError(f"not every row was synced: {run.result}")
        assert run.started_at is not None
        assert run.finished_at is not None
        return (run.finished_at - run.started_at).total_seconds()

    async def _run(self, type_: str, base: str, data: dict[str, object]) -> Run:
        core, changed = self.agent.core, asyncio.Event()
        job = await core.jobs.create(self._caller, JobInput(name=f"{type_} {base}", type=type_, data=data))
        stop_listening = core.store.subscribe(lambda _events: changed.set())
        run = await core.jobs.run_now(self._caller, job.id)
        while run.state not in FINAL:
            changed.clear()
            run = await core.runs.get(self._caller, run.id)
            if run.state not in FINAL:
                await changed.wait()
        stop_listening()
        if run.state is not RunState.COMPLETED:
            raise RuntimeError(f"the run {run.state}: {run.error}")
        return run


@asynccontextmanager
async def syncing(texts: Sequence[str]) -> AsyncIterator[Syncing]:
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as name:
        source = Path(name, "source.db")
        await asyncio.to_thread(_write, source, texts)
        async with working_agent(Path(name, "agent"), workers=1) as agent:
            connection = ConnectionInput(name="source", url=f"sqlite:///{source}")
            await agent.core.world.create_connection(agent.core.gate.local(), connection)
            yield Syncing(agent, len(texts))


def _write(path: Path, texts: Sequence[str]) -> None:
    with closing(sqlite3.connect(path)) as source, source:
        source.execute("CREATE TABLE texts (id INTEGER PRIMARY KEY, body TEXT NOT NULL, updated_at TIMESTAMP NOT NULL)")
        source.execute("CREATE INDEX texts_updated_at ON texts (updated_at)")
        source.executemany(
            "INSERT INTO texts VALUES (?, ?, datetime('2026-01-01', ? || ' seconds'))",
            ((number, text, number // 7) for number, text in enumerate(texts)),
        )


def _timed(embed: Callable[[Sequence[str]], object], texts: Sequence[str]) -> Measure:
    def seconds() -> float:
        began = time.perf_counter()
        embed(texts)
        return time.perf_counter() - began

    async def measured() -> float:
        return await asyncio.to_thread(seconds)

    return measured


def _name(type_: str) -> str:
    return f"{type_} of {ROWS:,} rows"
