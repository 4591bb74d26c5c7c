"""Memory does not grow with the rows: what passes through lies on the disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.datasets.world import DataWorld

_SCRIPT = """
import json, resource, sys
from pathlib import Path
from tests.contract.datasets.world import DataWorld
order = json.loads(sys.argv[1])
world = DataWorld(Path(order["folder"]), order["url"])
world.run(order["type"], **order["parameters"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
ROOM = 64 * 1024
"""KiB that the greater of two runs may take more: DuckDB uses what it may (128 MB) where it pays."""


@pytest.mark.soak
def test_a_million_rows_take_the_memory_of_a_quarter_of_them(shop: DataWorld) -> None:
    peaks = {}
    for rows in (250_000, 1_000_000):
        shop.execute("DELETE FROM orders")
        shop.execute(
            "INSERT INTO orders SELECT n, 'a lamp with a name of some length, number ' || n, n / 7.0 FROM"
            " (WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < :rows) SELECT n FROM g)",
            [{"rows": rows}],
        )
        shop.execute("CREATE TABLE IF NOT EXISTS back (id INTEGER, product TEXT, price REAL)")
        for type_, parameters in (
            ("export", {"table": "src.orders", "file": "out.csv"}),
            ("export", {"table": "src.orders", "format": "parquet", "file": "out.parquet"}),
            ("import", {"file": "out.csv", "table": "src.back"}),
            ("import", {"file": "out.parquet", "table": "src.back"}),
        ):
            peaks[rows, type_, parameters["file"]] = peak(shop, type_, parameters)
    for (rows, type_, file), found in peaks.items():
        if rows == 1_000_000:
            assert found < peaks[250_000, type_, file] + ROOM, peaks


def peak(world: DataWorld, type_: str, parameters: dict[str, Any]) -> int:
    order = {"folder": str(world.folder), "url": world.url, "type": type_, "parameters": parameters}
    argv = [sys.executable, "-c", _SCRIPT, json.dumps(order)]
    done = subprocess.run(argv, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True)
    return int(done.stdout)
