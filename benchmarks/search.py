"""Vector searches of a knowledge base of real texts by the agent, beside the same questions over a numpy matrix of all
its vectors in memory; embedding the question is part of both. A base of 100,000 rows is searched exactly, one of half a
million by leading dimensions first: `recall` says how many of numpy's ten nearest are among ours.

`search_indexed` puts searches by the vector index beside exact ones of the same rows in another base: in the reader's
own code, and as the agent answers them, where asking the reader is part of both."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle, islice

import httpx
import numpy as np

from agent.resources.embedders import Embedder, Vectors, open_embedder
from agent.resources.knowledge.search import KnowledgeSearch
from benchmarks.corpus import real_texts
from benchmarks.pairs import Comparison, Measure, compare
from benchmarks.sync import Syncing, syncing
from shared.models import SearchInput
from shared.places import socket_path

ROWS, MANY_ROWS = 100_000, 500_000
HITS = 10
QUESTIONS = 100
_AT_ONCE = 20
"""Questions whose median is one measurement."""
_PAIRS = 9
_PEER = "numpy, exact, in memory"

Ask = Callable[[str], Awaitable[Sequence[str]]]
"""A question to the keys of its nearest rows, nearest first."""


async def measure() -> list[Comparison]:
    return await _measure(ROWS)


async def measure_many() -> list[Comparison]:
    return await _measure(MANY_ROWS)


async def measure_indexed() -> list[Comparison]:
    texts = await asyncio.to_thread(real_texts, ROWS)
    questions = _questions(texts)
    async with syncing(texts) as source:
        plain, indexed = await source.keep(), await source.keep()
        built = (await source.index(indexed)).result or {}
        found = []
        for way, place in (("in the reader", _inside), ("by the agent", _ours)):
            ours, exact = place(source, indexed), place(source, plain)
            name = f"indexed, {way}, recall {await _recall(ours, exact, questions):.3f}"
            beside = f"exact, {way}"
            measured = (_median(ours, questions), beside, _median(exact, questions))
            found.append(await compare(name, *measured, pairs=_PAIRS))
        print(f"the index: {built}")  # noqa: T201  (its output is what it is for)
        return found


async def _measure(rows: int) -> list[Comparison]:
    texts = await asyncio.to_thread(real_texts, rows)
    questions = _questions(texts)
    async with syncing(texts) as source:
        base = await source.keep()
        numpy = await asyncio.to_thread(_Numpy, texts)
        ours, http = _ours(source, base), _http(source, base)
        recall = await _recall(ours, numpy.ask, questions)
        name = f"search of {rows:,} texts, recall {recall:.3f}"
        return [
            await _compare(name, ours, numpy.ask, questions),
            await _compare("the same through HTTP", http, numpy.ask, questions),
        ]


async def _compare(name: str, ours: Ask, theirs: Ask, questions: Sequence[str]) -> Comparison:
    return await compare(name, _median(ours, questions), _PEER, _median(theirs, questions), pairs=_PAIRS)


class _Numpy:
    def __init__(self, texts: Sequence[str]) -> None:
        self._embedder: Embedder = open_embedder("wordllama")
        self._matrix: Vectors = self._embedder.embed(texts)

    async def ask(self, question: str) -> Sequence[str]:
        scores = self._matrix @ self._embedder.embed([question])[0]
        nearest = np.argpartition(scores, -HITS)[-HITS:]
        return [str(number) for number in nearest[np.argsort(-scores[nearest])]]


def _ours(source: Syncing, base: str) -> Ask:
    core, caller = source.agent.core, source.agent.core.gate.local()

    async def ask(question: str) -> Sequence[str]:
        query = SearchInput(query=question, mode="vector", limit=HITS)
        return [hit.key for hit in await core.world.search(caller, base, query)]

    return ask


def _inside(source: Syncing, base: str) -> Ask:
    """What the reader process does, in this one."""
    embedder = open_embedder("wordllama")
    opened: list[KnowledgeSearch] = []

    async def ask(question: str) -> Sequence[str]:
        if not opened:
            folder = await source.folder(base)
            opened.append(KnowledgeSearch(folder, embedder.name, embedder.dimensions))
        hits = opened[0].search(question, embedder.embed([question])[0], "vector", HITS, {})
        return [hit["key"] for hit in hits]

    return ask


def _http(source: Syncing, base: str) -> Ask:
    transport = httpx.AsyncHTTPTransport(uds=str(socket_path(source.agent.settings.data_dir)))
    client = httpx.AsyncClient(transport=transport, base_url="http://agent")

    async def ask(question: str) -> Sequence[str]:
        query = {"query": question, "mode": "vector", "limit": HITS}
        answer = await client.post(f"/api/knowledge-bases/{base}/_search", json=query)
        return [hit["key"] for hit in answer.raise_for_status().json()["items"]]

    return ask


async def _recall(ours: Ask, theirs: Ask, questions: Sequence[str]) -> float:
    found = [len({*await ours(question)} & {*await theirs(question)}) for question in questions]
    return sum(found) / (HITS * len(questions))


def _median(ask: Ask, questions: Sequence[str]) -> Measure:
    coming = cycle(questions)

    async def measured() -> float:
        taken: list[float] = []
        for question in islice(coming, _AT_ONCE):
            began = time.perf_counter()
            await ask(question)
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)

    return measured


def _questions(texts: Sequence[str]) -> list[str]:
    """A few words on end from somewhere in a text, from texts all over."""
    rng = random.Random(1)  # noqa: S311  (repeatable questions)
    words = [text.split() for text in rng.sample(texts, QUESTIONS)]
    starts = [(each, rng.randrange(max(1, len(each) - 8)), rng.randint(3, 8)) for each in words]
    return [" ".join(each[start : start + length]) for each, start, length in starts]
