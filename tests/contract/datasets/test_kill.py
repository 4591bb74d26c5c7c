"""kill -9 at any moment: nothing half is left, and the next attempt does what is left of the work, once."""

from __future__ import annotations

import random
from typing import Any

import pytest

from agent.core.driving import RunCancelled
from tests.contract.datasets.world import DataWorld
from tests.harness.victim import Victim

ROWS = 12_000
EXPECTED = [(n, f"lamp {n}") for n in range(ROWS)]


def start(world: DataWorld, type_: str, run_id: str, attempt: int, **parameters: Any) -> Victim:
    order = {"folder": str(world.folder), "url": world.url, "type": type_, "run_id": run_id, "attempt": attempt,
             "checkpoint": None, "query": world.query, "parameters": parameters}  # fmt: skip
    return Victim("tests.contract.datasets.world", order)


@pytest.fixture
def many(world: DataWorld) -> DataWorld:
    values = "generate_series(0, :last) AS g(n)" if world.kind == "postgresql" else "range(0, :last + 1) AS g(n)"
    if world.kind == "sqlite":
        values = "(WITH RECURSIVE g(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM g WHERE n < :last) SELECT n FROM g)"
    world.execute("DELETE FROM orders")
    world.execute(f"INSERT INTO orders (id, product) SELECT n, 'lamp ' || n FROM {values}", [{"last": ROWS - 1}])
    world.query = "SELECT id, product FROM orders ORDER BY id"
    return world


def test_killed_refresh_leaves_no_half_snapshot_and_its_retry_makes_one(many: DataWorld) -> None:
    chance = random.Random(many.kind)
    were_at_work = []
    for turn in range(1, 3):
        victim = start(many, "dataset-refresh", "run-k", turn, dataset="orders")
        were_at_work.append(victim.killed_after(turn, chance.uniform(0, 0.02)))
        for snapshot in many.snapshots.list():
            assert many.kept(snapshot) == EXPECTED
    # the later it is hit, the likelier it was just done; DuckDB reads all in one, and may always be
    assert any(were_at_work) or many.kind == "duckdb"
    many.refresh(many.context("run-k", attempt=3))
    assert many.kept() == EXPECTED
    assert len(many.snapshots.list()) == 1
    assert many.snapshots.strays() == []


def test_killed_export_leaves_no_file_and_its_retry_makes_all(many: DataWorld) -> None:
    chance = random.Random(many.kind)
    wish = {"table": "src.orders", "file": "out.csv", "rows_per_file": 2000, "if_exists": "fail"}
    for turn in range(1, 3):
        start(many, "export", "run-k", turn, **wish).killed_after(2 + 2 * turn, chance.uniform(0, 0.03))
        whole = [path for path in many.exports.glob("*.csv") if len(path.read_text().splitlines()) != 2001]
        assert whole == []
    many.run("export", many.context("run-k", attempt=3), **wish)
    files = sorted(many.exports.glob("out-*.csv"))
    assert [path.name for path in files] == [f"out-{part:04}.csv" for part in range(1, 7)]
    lines = [line for path in files for line in path.read_text().splitlines()[1:]]
    assert len(lines) == len(set(lines)) == ROWS
    left = [path.name for path in many.exports.iterdir() if path not in files]
    assert left == [".jobdeck-run-k-names.partial"]


def test_files_of_an_attempt_that_had_put_them_in_place_are_known_to_all_later_ones(many: DataWorld) -> None:
    """The first is killed before its end is stored, the second before it has said anything."""
    wish = {"table": "src.orders", "file": "out.csv", "rows_per_file": 2000, "if_exists": "fail"}
    many.run("export", many.context("run-k", attempt=1), **wish)
    second = many.context("run-k", attempt=2)
    second.cancelled.set()
    with pytest.raises(RunCancelled):
        many.run("export", second, **wish)
    many.run("export", many.context("run-k", attempt=3), **wish)
    assert len(list(many.exports.glob("out-*.csv"))) == 6


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_killed_import_brings_every_row_once(many: DataWorld, format_: str) -> None:
    if format_ == "parquet" and many.kind != "sqlite":
        pytest.skip("one engine will do: the file is read alike for all")
    many.run("export", table="src.orders", format=format_, file="in", columns=["id", "product"])
    many.execute("CREATE TABLE taken (id INTEGER, product VARCHAR(200))")  # without a key: nothing else would tell
    chance = random.Random(many.kind)
    wish = {"file": "in", "format": format_, "table": "src.taken", "batch_size": 400}
    for turn in range(1, 3):
        start(many, "import", "run-k", turn, **wish).killed_after(3 * turn, chance.uniform(0, 0.03))
        got = [row[0] for row in many.rows("SELECT id FROM taken ORDER BY id")]
        assert got == list(range(len(got)))
        assert len(got) % 400 == 0
    context = many.context("run-k", attempt=3)
    assert many.run("import", context, **wish)["rowsImported"] == ROWS
    assert many.rows("SELECT id, product FROM taken ORDER BY id") == EXPECTED
    again = many.context("run-k", attempt=4)
    assert many.run("import", again, **wish)["rowsImported"] == ROWS
    assert len(many.rows("SELECT id FROM taken")) == ROWS
