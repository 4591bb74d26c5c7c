"""`dataset-refresh` and `snapshot-cleanup`: what they store, keep, refuse and leave behind."""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.core.driving import DriverError, RunCancelled
from agent.core.wire import ConnectionGrant, StoredLimit
from agent.resources.datasets.folder import file_hash
from agent.resources.stored import stored_bytes
from shared.clock import ManualClock
from tests.contract.datasets.conftest import ROWS
from tests.contract.datasets.world import DataWorld
from tests.harness.agent import NOW


def test_a_snapshot_is_what_the_query_finds(world: DataWorld) -> None:
    world.query, world.parameters = (
        "SELECT id, product FROM orders WHERE id >= :least ORDER BY id DESC;",
        {"least": 290},
    )
    context = world.context()
    result = world.refresh(context)
    assert world.kept() == [(n, f"lamp {n}") for n in range(299, 289, -1)]
    found = world.snapshots.require("orders")
    assert (result["snapshot"], result["rows"], found.rows, found.run_id) == (found.id, 10, 10, context.run_id)
    file = world.snapshots.parquet(found)
    assert (found.bytes, found.sha256) == (file.stat().st_size, file_hash(file))
    assert found.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [column.name for column in found.columns] == ["id", "product"]
    assert context.progressed[-1] == (10, 10)
    world.refresh(parameters={"least": 298})
    assert len(world.kept()) == 2


def test_the_source_is_only_read(world: DataWorld) -> None:
    hostile = [
        "SELECT 1; DELETE FROM orders",
        "WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone",
        "SELECT * FROM orders) AS x; DROP TABLE orders; SELECT (1",
        "SELECT 1) AS x; COMMIT; DROP TABLE orders; SELECT count(*) FROM (SELECT 1",
        "DELETE FROM orders",
        "/* SELECT */ DROP TABLE orders",
        "",
    ]
    if world.kind == "postgresql":
        hostile += ["SELECT 1 AS a INTO stolen", "SELECT nextval('gone')", "SELECT lo_import('/etc/passwd')"]
        world.execute("CREATE SEQUENCE gone")
    if world.kind == "sqlite":
        hostile += [f"ATTACH '{world.folder}/made.db' AS made", "PRAGMA user_version = 3", "SELECT load_extension('x')"]
    if world.kind == "duckdb":
        hostile += [
            "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "FROM glob('/*')",
            f"COPY orders TO '{world.folder}/stolen.csv'", "INSTALL httpfs", "SELECT * FROM read_text('/etc/hostname')",
        ]  # fmt: skip
    world.context()  # makes the folders of what it grants
    before = sorted(path.name for path in world.folder.iterdir())
    for query in hostile:
        world.query = query or "-- nothing"
        with pytest.raises(DriverError) as refused:
            world.refresh()
        assert not refused.value.transient, (query, refused.value.message)
    assert len(world.rows()) == ROWS
    assert {path.name for path in world.folder.iterdir()} - set(before) <= {"scratch", "datasets"}
    assert world.snapshots.list() == []


def test_a_query_that_cannot_be_answered_says_why(world: DataWorld) -> None:
    for query in ("SELECT nothing FROM orders", "SELECT * FROM nowhere", "SELECT FROM WHERE"):
        world.query = query
        with pytest.raises(DriverError) as refused:
            world.refresh()
        assert "src" in refused.value.message
        assert not refused.value.transient, refused.value.message
    if world.kind != "duckdb":  # which tells them apart by itself
        world.query = "SELECT id, id FROM orders"
        with pytest.raises(DriverError, match="'id' twice"):
            world.refresh()


def test_a_source_that_is_gone_may_come_back(shop: DataWorld) -> None:
    source = shop.folder / "source.db"
    source.rename(source.with_suffix(".gone"))
    with pytest.raises(DriverError) as refused:
        shop.refresh()
    assert (refused.value.kind, refused.value.transient) == ("source_unreachable", True)
    context = shop.context()
    context._connections["src"] = ConnectionGrant(
        id="c", name="src", kind="postgresql", url="postgresql+psycopg://nobody@127.0.0.1:1/none"
    )
    with pytest.raises(DriverError) as refused:
        shop.refresh(context)
    assert refused.value.transient
    assert shop.snapshots.list() == []


def test_a_cancel_leaves_nothing(world: DataWorld) -> None:
    context = world.context()
    context.on_progress = lambda _done, _total: context.cancelled.set()
    with pytest.raises(RunCancelled):
        world.refresh(context)
    assert world.snapshots.list() == []
    assert world.snapshots.strays() == []


def test_a_cancel_interrupts_a_query_that_takes_long(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    from tests.contract.datasets.world import world_on

    for kind, query in (
        ("duckdb", "SELECT count(*) AS n FROM range(10000000000) a, range(1000) b WHERE a.range % 7 = b.range"),
        ("sqlite", "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) AS m FROM n"),
    ):
        (tmp_path / kind).mkdir()
        with world_on(kind, tmp_path / kind, request) as world:
            world.execute("CREATE TABLE orders (id INTEGER)")
            world.query = query
            context = world.context()
            threading.Timer(0.3, context.cancelled.set).start()
            with pytest.raises((RunCancelled, DriverError)):
                world.refresh(context, count_first=False)
            assert context.cancelled.is_set()


def test_the_same_work_is_not_done_twice(shop: DataWorld) -> None:
    first = shop.refresh(shop.context("run-1"))
    again = shop.context("run-1", attempt=2)
    assert shop.refresh(again)["snapshot"] == first["snapshot"]
    assert len(shop.snapshots.list()) == 1
    assert any("already" in text for _, text in again.lines)
    with pytest.raises(DriverError) as late:
        shop.refresh(shop.context("run-1", attempt=1))
    assert late.value.kind == "superseded"


def test_a_dataset_keeps_what_it_says(shop: DataWorld) -> None:
    shop.keep_count = 3
    for _ in range(5):
        result = shop.refresh()
    assert result["dropped"] == 1
    kept = shop.snapshots.list()
    assert kept[0].id == result["snapshot"]
    assert len(kept) == len(list(shop.snapshots.path.glob("*.parquet"))) == 3


def test_cleanup_drops_by_count_and_by_age_and_never_the_latest(shop: DataWorld) -> None:
    clock = ManualClock(NOW)
    shop.keep_count = None

    def at(moment: datetime) -> None:
        clock.advance(moment - clock.now())

    for day in range(6):
        at(NOW + timedelta(days=day))
        shop.refresh(shop.context(clock=clock))
    context = shop.context(clock=clock)
    result = shop.run("snapshot-cleanup", context, datasets=["orders"], keep_age="60 h")
    assert (result["deleted"], result["kept"]) == (3, 3)
    assert result["bytesFreed"] > 0
    assert shop.run("snapshot-cleanup", shop.context(clock=clock), datasets=["orders"], keep_count=2)["deleted"] == 1
    at(NOW + timedelta(days=500))
    assert shop.run("snapshot-cleanup", shop.context(clock=clock), datasets=["orders"], keep_age="1 h")["kept"] == 1
    with pytest.raises(ValidationError):
        shop.run("snapshot-cleanup", datasets=["orders"])


def test_values_of_several_kinds_become_text_and_are_told(shop: DataWorld) -> None:
    shop.execute("CREATE TABLE odd (id INTEGER PRIMARY KEY, what)")
    many = [{"id": n, "what": n} for n in range(12_000)]
    shop.execute(
        "INSERT INTO odd VALUES (:id, :what)", [*many, {"id": 20_000, "what": "text"}, {"id": 20_001, "what": None}]
    )
    shop.query = "SELECT what FROM odd ORDER BY id"
    context = shop.context()
    shop.refresh(context)
    assert shop.kept() == [(str(n),) for n in range(12_000)] + [("text",), (None,)]
    assert context.warnings == ["column 'what' holds values of several kinds: they are kept as text"]


def test_numbers_widen_without_loss(shop: DataWorld) -> None:
    shop.execute("CREATE TABLE odd (id INTEGER PRIMARY KEY, what)")
    values = [*range(11_000), 0.5, -(2**53)]
    shop.execute("INSERT INTO odd VALUES (:id, :what)", [{"id": n, "what": v} for n, v in enumerate(values)])
    shop.query = "SELECT what FROM odd ORDER BY id"
    shop.refresh()
    assert [value for (value,) in shop.kept()] == [float(value) for value in values]
    shop.execute("INSERT INTO odd VALUES (:id, :what)", [{"id": 99_999, "what": 2**53 + 1}])
    shop.refresh()
    assert shop.kept()[-1] == (str(2**53 + 1),)


def test_an_empty_result_has_its_columns(world: DataWorld) -> None:
    world.query = "SELECT id, product FROM orders WHERE id < 0"
    assert world.refresh()["rows"] == 0
    assert [column.name for column in world.snapshots.require("orders").columns] == ["id", "product"]
    assert world.kept() == []


def test_what_was_killed_half_way_is_swept(shop: DataWorld) -> None:
    shop.refresh()
    folder = shop.snapshots.path
    for name in (".aside-x.parquet", ".aside-x.json", "orphan.parquet"):
        (folder / name).write_bytes(b"half")
    shop.refresh()
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".json", ".lock", ".parquet", ".parquet"]


def test_without_the_extra_the_error_says_what_to_install(shop: DataWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(DriverError) as refused:
        shop.refresh()
    assert refused.value.kind == "driver_missing"
    assert "pip install 'jobdeck[duckdb]'" in refused.value.message


def test_a_snapshot_that_finds_no_room_is_none(shop: DataWorld) -> None:
    """Its account's other files count, whoever put them there."""
    shop.refresh()
    [kept] = shop.snapshots.list()
    other = shop.folder / "blobs"
    other.mkdir()
    (other / "attached").write_bytes(b"x" * 1000)
    folders = [str(shop.snapshots.path.parent), str(other)]
    used = stored_bytes(folders)
    assert used >= kept.bytes + 1000
    for most, fits in ((used + kept.bytes - 1, False), (used + kept.bytes, True)):
        context = shop.context()
        context._datasets["orders"] = shop.dataset.model_copy(
            update={"stored": StoredLimit(most=most, folders=folders)}
        )
        if fits:
            shop.refresh(context)
        else:
            with pytest.raises(DriverError, match="may store") as refused:
                shop.refresh(context)
            assert refused.value.kind == "limit_reached"
    assert len(shop.snapshots.list()) == 2
    assert shop.snapshots.strays() == []
