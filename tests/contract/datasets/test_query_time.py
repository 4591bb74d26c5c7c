"""A query that takes longer than the settings allow is ended, whatever the source, and says which limit it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.driving import DriverError
from agent.core.wire import ConnectionGrant, DatasetGrant
from agent.resources.connections import open_source, query_time
from agent.resources.datasets.asking import ask
from tests.contract.datasets.world import DataWorld, world_on

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) AS m FROM n",
    "postgresql": "SELECT pg_sleep(600)",
    "duckdb": "SELECT count(*) AS n FROM range(10000000000) a, range(1000) b WHERE a.range % 7 = b.range",
}
LIMIT = {"query_seconds": 0.2}


class HurriedWorld(DataWorld):
    @property
    def grant(self) -> ConnectionGrant:
        return super().grant.model_copy(update=LIMIT)

    @property
    def dataset(self) -> DatasetGrant:
        return super().dataset.model_copy(update=LIMIT)


@pytest.mark.parametrize("kind", list(ENDLESS))
def test_a_datasets_query_is_ended(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with world_on(kind, tmp_path, request) as world:
        world.__class__ = HurriedWorld
        world.execute("CREATE TABLE orders (id INTEGER)")
        world.query = ENDLESS[kind]
        with pytest.raises(DriverError, match=r"'src' needed more than .* `query_timeout`") as refused:
            world.refresh()
        assert (refused.value.kind, refused.value.transient) == ("query_time", False)
        assert world.snapshots.list() == world.snapshots.strays() == []
        world.query = "SELECT id FROM orders"
        assert world.refresh()["rows"] == 0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "duckdb"])
def test_whoever_says_that_it_is_one_query_has_it_ended(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """As the pages of a sync are read, and what a source says of itself."""
    with world_on(kind, tmp_path, request) as world:
        world.execute("CREATE TABLE orders (id INTEGER)")
        engine = open_source(world.url, 0.2)
        with (
            pytest.raises(DriverError, match="'shop' needed more"),
            query_time(engine, "shop"),
            engine.connect() as connection,
        ):
            connection.exec_driver_sql(ENDLESS[kind]).fetchall()
        with query_time(engine, "shop"), engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
        engine.dispose()


def test_a_question_about_a_dataset_is_ended(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with world_on("sqlite", tmp_path, request) as world:
        world.execute("CREATE TABLE orders (id INTEGER)")
        world.refresh()
        grant = world.dataset.model_copy(update=LIMIT)
        with pytest.raises(DriverError, match="dataset 'orders' needed more") as refused:
            ask(world.context(), grant, "orders", ENDLESS["duckdb"], 10, None)
        assert refused.value.kind == "query_time"
