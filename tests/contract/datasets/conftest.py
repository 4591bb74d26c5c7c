from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.datasets.world import DataWorld, world_on

ROWS = 300


@pytest.fixture(params=["sqlite", "postgresql", "duckdb"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DataWorld]:
    """Table `orders` (id, product, price) with some rows."""
    with world_on(request.param, tmp_path, request) as made:
        fill(made)
        yield made


@pytest.fixture
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[DataWorld]:
    """The same where the engine does not matter."""
    with world_on("sqlite", tmp_path, request) as made:
        fill(made)
        yield made


def fill(world: DataWorld, rows: int = ROWS) -> None:
    world.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, product VARCHAR(200) NOT NULL, price DOUBLE PRECISION)")
    world.execute(
        "INSERT INTO orders VALUES (:id, :product, :price)",
        [{"id": n, "product": f"lamp {n}", "price": n / 4} for n in range(rows)],
    )
