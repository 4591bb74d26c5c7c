"""`export` and `import`: names, places, options, and what becomes of rows that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.core.driving import DriverError
from agent.core.wire import KnowledgeBaseGrant
from shared.clock import ManualClock
from tests.contract.datasets.conftest import ROWS
from tests.contract.datasets.world import DataWorld
from tests.contract.drivers.kb_world import KbWorld
from tests.harness.agent import NOW


def export(world: DataWorld, **wish: Any) -> dict[str, Any]:
    return world.run("export", world.context(clock=ManualClock(NOW)), **{"table": "src.orders", **wish})


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_names_are_made_of_what_they_say(shop: DataWorld) -> None:
    shop.refresh()
    result = export(shop, table=None, dataset="orders", folder="daily/deep")
    assert result == {"rowsExported": ROWS, "files": 1, "errors": 0, "names": ["orders-2026-03-02.csv"]}
    assert lines(shop.exports / "daily/deep/orders-2026-03-02.csv")[:2] == ["id,product,price", "0,lamp 0,0.0"]
    result = export(shop, file="{job}_{name}_{time}.jsonl", format="jsonl", columns=["price", "id"], rows_per_file=100)
    assert result["names"] == [f"Job-under-test_orders_120000-{part:04}.jsonl" for part in (1, 2, 3)]
    last = lines(shop.exports / result["names"][2])
    assert (len(last), json.loads(last[-1])) == (100, {"price": 74.75, "id": 299})


@pytest.mark.parametrize("wish", [
    {"file": "../x.csv"}, {"file": "a/b.csv"}, {"file": ".hidden"}, {"file": "{what}.csv"}, {"file": "\n"},
    {"folder": "../.."}, {"folder": "a/../../b"}, {"delimiter": '"'}, {"table": "orders"}, {"dataset": "orders"},
    {"snapshot": "x"},
])  # fmt: skip
def test_what_can_be_seen_to_be_wrong_is_refused_when_the_job_is_made(shop: DataWorld, wish: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        export(shop, **wish)


def test_files_go_where_they_may_and_nowhere_else(shop: DataWorld, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(DriverError, match="file_roots"):
        export(shop, folder=str(outside), file="x.csv")
    shop.roots.append(str(outside))
    export(shop, folder=f"{outside}/new", file="x.csv")
    assert (outside / "new/x.csv").exists()
    (outside / "link").symlink_to(tmp_path)
    with pytest.raises(DriverError, match="link"):
        export(shop, folder=f"{outside}/link", file="x.csv")
    (outside / "x.csv").symlink_to(tmp_path / "victim")
    export(shop, folder=str(outside), file="x.csv")
    assert not (tmp_path / "victim").exists()
    assert not (outside / "x.csv").is_symlink()


def test_a_file_that_is_there_is_replaced_or_kept_as_it_was_asked(shop: DataWorld) -> None:
    export(shop, file="x.csv")
    shop.execute("DELETE FROM orders WHERE id > 0")
    with pytest.raises(DriverError) as refused:
        export(shop, file="x.csv", if_exists="fail")
    assert refused.value.kind == "file_exists"
    assert len(lines(shop.exports / "x.csv")) == ROWS + 1
    export(shop, file="x.csv")
    assert len(lines(shop.exports / "x.csv")) == 2


def test_formulas_are_kept_or_defused(shop: DataWorld) -> None:
    shop.execute('CREATE TABLE risky (id INTEGER PRIMARY KEY, "=head" TEXT, n INTEGER)')
    hostile = ["=1+1", "+1", "-1", "@x", "\tx", "fine", "a=b", ""]
    shop.execute("INSERT INTO risky VALUES (:id, :t, -5)", [{"id": n, "t": text} for n, text in enumerate(hostile)])
    export(shop, table="src.risky", file="kept.csv")
    assert lines(shop.exports / "kept.csv")[:3] == ["id,=head,n", "0,=1+1,-5", "1,+1,-5"]
    export(shop, table="src.risky", file="safe.csv", formulas="defuse")
    assert lines(shop.exports / "safe.csv") == [
        "id,'=head,n", "0,'=1+1,-5", "1,'+1,-5", "2,'-1,-5", "3,'@x,-5", "4,'\tx,-5", "5,fine,-5", "6,a=b,-5", '7,"",-5',
    ]  # fmt: skip


def test_an_empty_table_gives_a_file_with_its_columns(world: DataWorld) -> None:
    world.execute("DELETE FROM orders")
    for format_ in ("csv", "jsonl", "parquet"):
        assert export(world, file=f"x.{format_}", format=format_)["rowsExported"] == 0
    assert lines(world.exports / "x.csv") == ["id,product,price"]
    world.execute("CREATE TABLE empty (id INTEGER, product VARCHAR(9), price DOUBLE PRECISION)")
    for format_ in ("csv", "parquet"):
        assert world.run("import", file=f"x.{format_}", table="src.empty")["rowsImported"] == 0


def test_a_knowledge_base_is_exported_with_its_attributes(shop: DataWorld, tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    base = KbWorld(tmp_path / "kb", f"sqlite:///{tmp_path}/kb/source.db")
    base.create_orders()
    base.add(1, 2)
    base.sync()
    context = shop.context(clock=ManualClock(NOW))
    context._knowledge_bases["kb"] = base.kb_grant
    context._knowledge_bases["none"] = KnowledgeBaseGrant(
        id="n", name="none", path=str(tmp_path / "none"), embedder="wordllama", dimensions=256
    )
    shop.run("export", context, knowledge_base="kb", format="jsonl", file="kb.jsonl")
    first = json.loads(lines(shop.exports / "kb.jsonl")[0])
    assert (first["key"], first["text"]) == ("1", "product 1\nblue shoes")
    assert json.loads(first["attributes"])["price"] == 1.5
    assert shop.run("export", context, knowledge_base="none", file="none.csv")["rowsExported"] == 0
    base.engine.dispose()


# -- import ------------------------------------------------------------------------------------------------------------


def put(world: DataWorld, name: str, text: str) -> None:
    world.exports.mkdir(exist_ok=True)
    (world.exports / name).write_text(text, newline="")


def test_bad_rows_are_counted_and_told_with_line_and_reason(world: DataWorld) -> None:
    text = 'id,product,price\n1000,"two\nlines",1\nx,lamp,2\n1001,,3\n1002,good,cheap\n1002,good,4\n5,twice,1\n1003,last,\n'
    put(world, "in.csv", text)
    for size in (1, 3, 100):
        world.execute("DELETE FROM orders WHERE id >= 1000")
        context = world.context()
        result = world.run("import", context, file="in.csv", table="src.orders", max_errors=4, batch_size=size)
        assert (result["rowsImported"], result["errors"]) == (3, 4)
        told = {bad["line"]: f"{bad['column']}: {bad['reason']}" for bad in result["firstErrors"]}
        assert sorted(told) == [4, 5, 6, 8]
        assert (told[4], told[6]) == ("id: 'x' is no whole number", "price: 'cheap' is no number")
        assert "null" in told[5].lower()
        assert len([text for level, text in context.lines if level == "warning"]) == 4
    assert world.rows("SELECT * FROM orders WHERE id >= 1000 ORDER BY id") == [
        (1000, "two\nlines", 1.0), (1002, "good", 4.0), (1003, "last", None),
    ]  # fmt: skip


def test_too_many_bad_rows_end_it_and_say_what_was_done(world: DataWorld) -> None:
    put(world, "in.csv", "id,product\n" + "".join(f"{n},lamp\n" for n in range(1000, 1010)) + "x,lamp\n")
    with pytest.raises(DriverError) as refused:
        world.run("import", file="in.csv", table="src.orders", batch_size=4)
    assert refused.value.kind == "bad_row"
    bad = {"line": 12, "column": "id", "reason": "'x' is no whole number"}
    assert refused.value.result == {"rowsImported": 8, "errors": 1, "firstErrors": [bad]}
    assert "line 12: id: 'x' is no whole number" in refused.value.message
    assert len(world.rows("SELECT id FROM orders WHERE id >= 1000")) == 8


def test_an_upsert_replaces_by_key(world: DataWorld) -> None:
    put(
        world,
        "in.jsonl",
        '{"id": 1, "product": "new"}\n{"id": 5000, "product": "more"}\n{"id": 1, "product": "newer"}\n',
    )
    for _ in range(2):
        result = world.run("import", file="in.jsonl", table="src.orders", mode="upsert")
        assert (result["rowsImported"], result["errors"]) == (3, 0)
    assert world.rows("SELECT * FROM orders WHERE id IN (1, 5000) ORDER BY id") == [
        (1, "newer", 0.25), (5000, "more", None),
    ]  # fmt: skip
    with pytest.raises(DriverError, match="unique"):
        world.run("import", file="in.jsonl", table="src.orders", mode="upsert", key_columns=["product"])


def test_a_row_without_its_key_is_not_added_anew_each_time(world: DataWorld) -> None:
    put(
        world, "in.jsonl", '{"id": 1, "product": "new"}\n{"product": "nameless"}\n{"id": null, "product": "nameless"}\n'
    )
    for _ in range(2):
        result = world.run("import", file="in.jsonl", table="src.orders", mode="upsert", max_errors=2)
        assert (result["rowsImported"], [(bad["line"], bad["column"]) for bad in result["firstErrors"]]) == (
            1, [(2, "id"), (3, "id")],
        )  # fmt: skip
    assert world.rows("SELECT id FROM orders WHERE product = 'nameless'") == []


def test_columns_go_where_they_are_told_to(world: DataWorld) -> None:
    put(world, "in.csv", "Order No;Unused;What\n1000;x;lamp\n")
    given = {"file": "in.csv", "table": "src.orders", "delimiter": ";"}
    world.run("import", **given, columns={"Order No": "id", "What": "product"})
    assert world.rows("SELECT * FROM orders WHERE id = 1000") == [(1000, "lamp", None)]
    with pytest.raises(DriverError, match="no column 'Order No'"):
        world.run("import", **given)
    with pytest.raises(DriverError, match="did you mean product"):
        world.run("import", **given, columns={"What": "produkt"})
    with pytest.raises(DriverError, match="the file has no column 'Who'"):
        world.run("import", **given, columns={"Who": "product"})


def test_another_file_is_not_gone_on_with(shop: DataWorld) -> None:
    put(shop, "in.csv", "id,product\n1000,lamp\n")
    first = shop.context("run-1")
    shop.run("import", first, file="in.csv", table="src.orders")
    put(shop, "in.csv", "id,product\n1000,lamp\n1001,lamp\n")
    with pytest.raises(DriverError) as refused:
        shop.run("import", shop.context("run-1", checkpoint=first.checkpoints[-1]), file="in.csv", table="src.orders")
    assert refused.value.kind == "file_changed"


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
def test_a_file_becomes_a_datasets_snapshot(shop: DataWorld, format_: str) -> None:
    export(shop, file=f"in.{format_}", format=format_)
    shop.query = None
    types = {"id": "integer", "price": "float"} if format_ == "csv" else {}
    context = shop.context("run-1")
    result = shop.run("import", context, file=f"in.{format_}", dataset="orders", types=types)
    assert (result["rowsImported"], result["errors"]) == (ROWS, 0)
    assert shop.kept() == shop.rows()
    assert (
        shop.run("import", shop.context("run-1", attempt=2), file=f"in.{format_}", dataset="orders")["rowsImported"]
        == ROWS
    )
    assert len(shop.snapshots.list()) == 1
    with pytest.raises(DriverError, match="imports fill it"):
        shop.refresh()


def test_what_is_no_parquet_is_refused(shop: DataWorld) -> None:
    put(shop, "in.parquet", "id,product\n")
    with pytest.raises(DriverError) as refused:
        shop.run("import", file="in.parquet", table="src.orders")
    assert refused.value.kind == "unreadable"
