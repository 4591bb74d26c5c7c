"""`jobdeck dataset` against an agent that runs: what comes out, and with which code."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.harness.agent_process import agent_process
from tests.harness.shell import Shell


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("cli")
    with closing(sqlite3.connect(folder / "shop.db")) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT)")
        database.executemany("INSERT INTO orders VALUES (?, ?)", [(n, f"lamp {n}") for n in range(30)])
        database.commit()
    made = Shell(folder / "data")
    with agent_process(folder / "data", "--workers", "1", env=made.environment):
        made("connection", "add", "shop", f"sqlite:///{folder}/shop.db")
        yield made


def test_a_dataset_from_its_making_to_its_end(shell: Shell, tmp_path: Path) -> None:
    assert shell("dataset", "list") == ""
    query = tmp_path / "query.sql"
    query.write_text("SELECT * FROM orders WHERE id >= :least ORDER BY id")
    shell(
        "dataset", "create", "orders", "--connection", "shop", "--query", f"@{query}", "-p", "least=10", "--keep", "2"
    )
    made = shell.json("dataset", "show", "orders")
    assert (made["parameters"], made["keep"]["count"], made["snapshot"]) == ({"least": 10}, 2, None)
    assert "never" in shell("dataset", "list")
    assert "no snapshot yet" in shell("dataset", "rows", "orders", code=3)
    assert "completed" in shell("dataset", "refresh", "orders", "--wait")
    rows = shell.json("dataset", "rows", "orders", "--where", "id > 20", "-n", "2", "--offset", "1")
    assert (rows["total"], rows["rows"]) == (9, [[22, "lamp 22"], [23, "lamp 23"]])
    assert "lamp 10" in shell("dataset", "rows", "orders")
    assert "where: " in shell("dataset", "rows", "orders", "--where", "nothing > 1", code=2)
    [snapshot] = shell.json("dataset", "snapshots", "orders")
    assert (snapshot["rows"], len(snapshot["sha256"])) == (20, 64)
    assert "20" in shell("dataset", "snapshots", "orders")
    assert "product VARCHAR" in shell("dataset", "show", "orders")
    assert "--yes" in shell("dataset", "delete", "orders", code=2)
    assert [each["slug"] for each in shell.json("job", "list")] == ["refresh-orders"]
    shell("dataset", "delete", "orders", "--yes")
    assert shell.json("job", "list") == []
    assert "orders" in shell("dataset", "show", "orders", code=3)


@pytest.mark.parametrize(("words", "said"), [
    (("x", "--connection", "shop"), "'connection' is given without 'query'"),
    (("x", "--connection", "none", "--query", "SELECT 1"), "there is no connection 'none'"),
    (("x", "--connection", "shop", "--query", "DROP TABLE orders"), "must be one SELECT"),
    (("a b", "--connection", "shop", "--query", "SELECT 1"), "letters, digits"),
    (("x", "-p", "nothing"), "write NAME=VALUE"),
    (("x", "--connection", "shop", "--query", "@/nowhere"), "cannot be read"),
    (("x", "--keep-for", "long"), "is not a span of time"),
])  # fmt: skip
def test_what_is_wrong_is_said(shell: Shell, words: tuple[str, ...], said: str) -> None:
    assert said in shell("dataset", "create", *words, code=2)
