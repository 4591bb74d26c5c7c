"""An agent, and a world for its jobs: a source with a table, a knowledge base."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.models import ConnectionInput, KnowledgeBaseInput
from tests.contract.api.people import People, Person
from tests.harness.agent import RunningAgent, running_agent


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[RunningAgent]:
    async with running_agent(tmp_path / "d") as running:
        yield running


@pytest.fixture
async def world(agent: RunningAgent, tmp_path: Path) -> RunningAgent:
    """The agent with what the printed example of contract 000 names."""
    await make_world(agent, tmp_path)
    return agent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningAgent]:
    """One agent with its world for a whole module of refusals: nothing is stored, so nothing is shared."""
    folder = tmp_path_factory.mktemp("standing")
    async with running_agent(folder / "d") as running:
        await make_world(running, folder)
        yield running


async def make_world(agent: RunningAgent, folder: Path) -> None:
    source = folder / "orders.sqlite"
    with sqlite3.connect(source) as database:
        database.execute(
            "create table orders (id integer primary key, product text, description text, created_at timestamp)"
        )
    local = agent.core.gate.local()
    await agent.core.world.create_connection(local, ConnectionInput(name="orders_db", url=f"sqlite:///{source}"))
    await agent.core.world.create_knowledge_base(local, KnowledgeBaseInput(name="orders_kb"))


@pytest.fixture
def people(agent: RunningAgent) -> People:
    return People(agent)


@pytest.fixture
async def ada(people: People) -> Person:
    return await people.make("ada")


@pytest.fixture
async def bob(people: People) -> Person:
    return await people.make("bob")
