"""One real agent for all tests of the wizard, with a shop's database to read from."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.agent_process import AgentProcess, agent_process

_SHOP = """
create table customers (id integer primary key, name text);
create table orders (id integer primary key, product text, description text, updated_at timestamp);
insert into orders (product, description, updated_at) values
    ('lamp', 'a green lamp', '2026-01-01 10:00:00'), ('chair', 'an oak chair', '2026-01-02 10:00:00');
"""


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    folder = Path(tmp_path_factory.mktemp("wizard"))
    with sqlite3.connect(folder / "shop.db") as shop:
        shop.executescript(_SHOP)
    with agent_process(folder / "data") as process:
        process.call("POST", "/api/connections", {"name": "shop", "url": f"sqlite:///{folder}/shop.db"})
        yield process
