"""The store, as the core sees it, on every engine that there is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.core.ports import Store
from agent.store import open_store
from shared.clock import ManualClock
from shared.ids import new_id
from tests.contract.store.making import NOW, Maker
from tests.harness.prepared import prepare

ENGINES = ["sqlite"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def store(engine: str, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    opened = await open_store(prepare(tmp_path / "store.db"), clock=clock, new_id=new_id)
    yield opened
    await opened.close()


@pytest.fixture
async def make(store: Store) -> Maker:
    await store.ensure_account("main", "anna-id", "anna", NOW)
    return Maker(store)
