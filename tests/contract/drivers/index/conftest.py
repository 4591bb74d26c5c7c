"""A world with some rows, synced once, and a search of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.resources.embedders import Vectors
from agent.resources.knowledge.index.opened import VectorIndex
from tests.contract.drivers.index.searching import CONTENT, ROWS, Searcher, text_of
from tests.contract.drivers.kb_world import KbWorld, later


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of some rows, synced once, without an index."""
    folder = tmp_path_factory.mktemp("synced")
    world = KbWorld(folder, f"sqlite:///{folder}/source.db")
    world.create_orders()
    rows = [{"id": n, "text": text_of(n), "at": world.moment(later(n % 100))} for n in range(ROWS)]
    world.execute("INSERT INTO orders VALUES (:id, 'lamp', :text, 1.5, :at)", rows)
    world.sync(**CONTENT)
    world.engine.dispose()
    return folder


@pytest.fixture
def world(synced: Path, tmp_path: Path) -> Iterator[KbWorld]:
    shutil.copytree(synced, tmp_path / "world")
    world = KbWorld(tmp_path / "world", f"sqlite:///{tmp_path}/world/source.db")
    yield world
    world.engine.dispose()


@pytest.fixture
def by_index(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each search took from an index."""
    taken: list[int] = []
    nearest = VectorIndex.nearest

    def counted(index: VectorIndex, vector: Vectors, count: int) -> Any:
        taken.append(count)
        return nearest(index, vector, count)

    monkeypatch.setattr(VectorIndex, "nearest", counted)
    return taken


@pytest.fixture
def searcher(world: KbWorld) -> Iterator[Searcher]:
    searcher = Searcher(world)
    yield searcher
    searcher.search.close()
