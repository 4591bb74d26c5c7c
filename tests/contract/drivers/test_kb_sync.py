"""The contract of kb-sync, on each kind of source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.core.driving import DriverError, RunCancelled
from agent.resources.knowledge.sync.source import Bounds, Page, Position, TableSource
from tests.contract.drivers.kb_world import NOON, KbWorld, later, world_on


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KbWorld]:
    with world_on(request.param, tmp_path, request) as world:
        world.create_orders()
        yield world


@pytest.fixture(params=["sqlite", "postgresql", "duckdb"])
def any_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KbWorld]:
    with world_on(request.param, tmp_path, request) as world:
        world.create_orders()
        yield world


@pytest.fixture
def sqlite_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KbWorld]:
    with world_on("sqlite", tmp_path, request) as world:
        yield world


def test_first_sync_brings_in_every_row_with_its_attributes(any_world: KbWorld) -> None:
    world = any_world
    world.add(*range(1, 8))
    context = world.context()
    result = world.sync(context, batch_size=3)
    assert world.texts() == world.source_texts()
    assert result["rows_synced"] == result["rows_seen"] == result["embedded"] == 7
    assert result["bytes_synced"] == sum(len(text) for text in world.texts().values())
    assert world.attributes()["1"]["id"] == 1
    assert world.attributes()["1"]["price"] == 1.5
    assert world.attributes()["1"]["updated_at"].startswith("2025-06-19")
    assert context.progressed[0] == (0, 7)
    assert context.progressed[-1] == (7, 7)
    assert [(step.key, step.state) for step in context.steps] == [("inspect", "completed"), ("read", "completed")]


def test_second_sync_of_unchanged_rows_embeds_nothing(any_world: KbWorld) -> None:
    world = any_world
    world.add(1, 2, 3)
    world.sync()
    world.embedded.clear()
    result = world.sync()
    assert world.embedded == []
    assert (result["rows_synced"], result["rows_unchanged"], result["replayed"]) == (0, 3, 3)


def test_moved_row_and_row_at_the_watermark_are_found_by_the_next_sync(any_world: KbWorld) -> None:
    world = any_world
    world.add(1, 2, 3)
    world.sync()
    world.embedded.clear()
    world.change(2, text="green hat", at=later(60))
    world.add(4, at=NOON, text="as late as the watermark")
    result = world.sync()
    assert world.texts() == world.source_texts()
    assert result["rows_synced"] == 2
    assert sorted(world.embedded) == ["product 2\ngreen hat", "product 4\nas late as the watermark"]


def test_row_that_arrives_late_within_the_lag_is_found_and_beyond_it_is_not(world: KbWorld) -> None:
    world.add(1, at=later(3600))
    world.sync()
    world.add(2, at=later(3600 - 299))
    world.add(3, at=later(3600 - 301))
    world.sync()
    assert set(world.texts()) == {"1", "2"}
    world.sync(lag="10 minutes")
    assert set(world.texts()) == {"1", "2", "3"}


def test_equal_timestamps_across_page_borders_are_read_once_each(world: KbWorld) -> None:
    world.add(*range(1, 24))
    result = world.sync(batch_size=5)
    assert world.texts() == world.source_texts()
    assert (result["rows_seen"], result["rows_synced"]) == (23, 23)


def test_null_filter_values_are_counted_and_warned_about(world: KbWorld) -> None:
    world.add(1)
    world.add(2, 3, at=None)
    context = world.context()
    result = world.sync(context)
    assert result["rows_null_filter"] == 2
    assert set(world.texts()) == {"1"}
    assert context.warnings == ["2 rows have no value in 'updated_at' of orders_db.orders: they are left out"]


def test_full_comparison_finds_silent_changes_and_deletions(any_world: KbWorld) -> None:
    world = any_world
    world.add(*range(1, 11))
    world.add(11, at=later(9999))
    world.sync()
    world.embedded.clear()
    world.change(3, text="silently changed")
    world.delete(5, 6)
    world.add(12, at=None, text="no timestamp")
    assert world.sync()["rows_synced"] == 0
    assert "5" in world.texts()
    result = world.sync(compare="full", batch_size=4)
    assert world.texts() == world.source_texts()
    assert (result["rows_deleted"], result["rows_synced"], result["rows_unchanged"]) == (2, 2, 8)
    assert sorted(world.embedded) == ["product 12\nno timestamp", "product 3\nsilently changed"]


def test_full_comparison_of_an_emptied_table_leaves_nothing(world: KbWorld) -> None:
    world.add(1, 2, 3)
    world.sync()
    world.delete(1, 2, 3)
    assert world.sync(compare="full")["rows_deleted"] == 3
    assert world.texts() == {}


def test_watermark_sync_goes_on_after_a_full_one(world: KbWorld) -> None:
    world.add(1, 2, at=NOON)
    world.sync(compare="full")
    world.add(3, at=later(3600))
    result = world.sync(lag="0 s")
    assert (result["rows_seen"], result["rows_synced"]) == (3, 1)
    assert world.sync(lag="0 s")["rows_seen"] == 1


def test_changed_content_columns_start_the_sync_anew(world: KbWorld) -> None:
    world.add(1, 2)
    world.sync()
    world.add(3, at=later(-86400))
    result = world.sync(content_columns=["product"])
    assert world.texts() == {"1": "product 1", "2": "product 2", "3": "product 3"}
    assert result["rows_synced"] == 3


def test_changed_attributes_alone_are_written_and_embed_nothing(world: KbWorld) -> None:
    world.add(1, 2)
    world.sync()
    world.embedded.clear()
    world.execute("UPDATE orders SET price = 9.25 WHERE id = 2")
    result = world.sync()
    assert world.attributes()["2"]["price"] == 9.25
    assert world.embedded == []
    assert (result["rows_synced"], result["rows_unchanged"]) == (1, 1)


def test_attribute_columns_limit_the_attributes(world: KbWorld) -> None:
    world.add(1)
    world.sync(attribute_columns=["price"])
    assert world.attributes() == {"1": {"price": 1.5}}


def test_composite_keys_page_and_name_rows(any_world: KbWorld) -> None:
    world = any_world
    world.execute(
        "CREATE TABLE texts (lang VARCHAR(5), id INTEGER, body TEXT, changed INTEGER, PRIMARY KEY (lang, id))"
    )
    rows = [{"lang": lang, "id": id_, "body": f"{lang} {id_}"} for lang in ("de", "en", "fr") for id_ in range(7)]
    world.execute("INSERT INTO texts VALUES (:lang, :id, :body, 5)", rows)
    columns = {"source_table": "orders_db.texts", "content_columns": ["body"], "filter_column": "changed"}
    assert world.sync(**columns, batch_size=4)["rows_synced"] == 21
    assert world.texts()['["en", 3]'] == "en 3"
    assert set(world.texts().values()) == {row["body"] for row in rows}
    world.execute("UPDATE texts SET body = 'neu', changed = 6 WHERE lang = 'de' AND id = 0")
    result = world.sync(**columns)
    assert (result["rows_synced"], result["watermark"]) == (1, 6)


def test_table_in_another_schema_is_named_by_it(any_world: KbWorld) -> None:
    world = any_world
    if world.kind == "sqlite":
        pytest.skip("SQLite has no schemas")
    world.execute("CREATE SCHEMA sales")
    world.execute("CREATE TABLE sales.items (id INTEGER PRIMARY KEY, body TEXT, n INTEGER)")
    world.execute("INSERT INTO sales.items VALUES (1, 'in a schema', 1)")
    world.sync(source_table="orders_db.sales.items", content_columns=["body"], filter_column="n")
    assert world.texts() == {"1": "in a schema"}


def test_table_without_a_key_needs_key_columns(world: KbWorld) -> None:
    world.execute("CREATE TABLE loose (a INTEGER, body TEXT, n INTEGER)")
    world.execute("INSERT INTO loose VALUES (1, 'one', 1), (2, 'two', 1)")
    columns = {"source_table": "orders_db.loose", "content_columns": ["body"], "filter_column": "n"}
    with pytest.raises(DriverError, match="no primary key; name in key_columns") as refused:
        world.sync(**columns)
    assert (refused.value.kind, refused.value.transient) == ("missing_key", False)
    world.sync(**columns, key_columns=["a"])
    assert world.texts() == {"1": "one", "2": "two"}


@pytest.mark.parametrize(("a", "kind"), [("1", "duplicate_key"), ("NULL", "null_key")])
def test_keys_that_do_not_tell_rows_apart_are_refused(world: KbWorld, a: str, kind: str) -> None:
    world.execute("CREATE TABLE loose (a INTEGER, body TEXT, n INTEGER)")
    world.execute(f"INSERT INTO loose VALUES (1, 'one', 1), ({a}, 'two', 2)")
    with pytest.raises(DriverError) as refused:
        world.sync(
            source_table="orders_db.loose", content_columns=["body"], filter_column="n", key_columns=["a"], batch_size=1
        )
    assert refused.value.kind == kind


def test_changed_key_columns_make_the_content_anew(world: KbWorld) -> None:
    world.add(1, 2)
    world.sync()
    world.sync(key_columns=["product"])
    assert set(world.texts()) == {"product 1", "product 2"}


def test_missing_table_and_columns_are_named_with_near_ones(any_world: KbWorld) -> None:
    world = any_world
    with pytest.raises(DriverError, match="has no table 'ordres'; did you mean 'orders'") as refused:
        world.sync(source_table="orders_db.ordres")
    assert (refused.value.kind, refused.value.transient) == ("unknown_table", False)
    with pytest.raises(DriverError, match="no column 'prodct'; did you mean 'product'") as refused:
        world.sync(content_columns=["prodct"])
    assert refused.value.kind == "unknown_column"


def test_cancel_between_batches_keeps_what_was_committed(world: KbWorld) -> None:
    world.add(*range(1, 31))
    context = world.context()
    context.on_progress = lambda done, _total: context.cancelled.set() if done >= 10 else None
    with pytest.raises(RunCancelled):
        world.sync(context, batch_size=5)
    assert len(world.texts()) == 10
    result = world.sync(batch_size=5)
    assert world.texts() == world.source_texts()
    assert len(world.embedded) <= 35
    assert result["rows_synced"] == 20


def test_same_run_resumed_counts_what_both_attempts_committed(world: KbWorld) -> None:
    world.add(*range(1, 21))
    context = world.context("run-a")
    context.on_progress = lambda done, _total: context.cancelled.set() if done >= 10 else None
    with pytest.raises(RunCancelled):
        world.sync(context, batch_size=5)
    result = world.sync(world.context("run-a", attempt=2), batch_size=5)
    assert (result["rows_synced"], result["embedded"]) == (20, 20)


def test_rows_newer_than_an_interrupted_scan_come_in_with_the_next_run(world: KbWorld) -> None:
    world.add(*range(1, 21))
    context = world.context()
    context.on_progress = lambda done, _total: context.cancelled.set() if done >= 5 else None
    with pytest.raises(RunCancelled):
        world.sync(context, batch_size=5)
    world.add(30, at=later(9999))
    world.change(1, text="moved on", at=later(9999))
    world.sync(batch_size=5)
    assert world.texts() == world.source_texts()


def test_row_that_moves_on_while_it_is_read_is_there_once(world: KbWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for id_ in range(1, 6):
        world.add(id_, at=later(id_))
    read = TableSource.page

    def read_then_move(source: TableSource, bounds: Bounds, after: Position | None, limit: int) -> Page:
        page = read(source, bounds, after, limit)
        if after is None:
            world.change(2, text="moved on", at=later(2.5))
        return page

    monkeypatch.setattr(TableSource, "page", read_then_move)
    result = world.sync(batch_size=2)
    assert world.texts() == world.source_texts()
    assert (result["rows_seen"], result["rows_synced"]) == (6, 6)
    assert world.query("SELECT sum(row_count) FROM shares") == [(5,)]


FILTERS: list[tuple[str, list[Any]]] = [
    ("INTEGER", [-5, 0, 7, 7, 2**31 - 1]),
    ("DECIMAL(20, 6)", [0.000001, 1.5, 1.5, 3, 99999.25]),
    ("DOUBLE PRECISION", [-0.1, 0.1, 0.1, 1e300, 2e300]),
    ("DATE", ["2025-01-01", "2025-01-02", "2025-01-02", "2025-02-01", "2025-03-01"]),
    ("VARCHAR(20)", ["a", "b'b", "b'b", "y", "zü"]),
]


@pytest.mark.parametrize(("type_", "values"), FILTERS, ids=[type_ for type_, _ in FILTERS])
def test_cursor_keeps_its_type_over_pages_kills_and_runs(any_world: KbWorld, type_: str, values: list[Any]) -> None:
    world = any_world
    world.execute(f"CREATE TABLE things (id INTEGER PRIMARY KEY, body TEXT, mark {type_})")
    cast = f"CAST(:mark AS {type_})" if world.kind != "sqlite" else ":mark"
    insert = f"INSERT INTO things VALUES (:id, :body, {cast})"
    world.execute(insert, [{"id": n, "body": f"body {n}", "mark": mark} for n, mark in enumerate(values)])
    columns = {"source_table": "orders_db.things", "content_columns": ["body"], "filter_column": "mark"}
    context = world.context()
    context.on_progress = lambda done, _total: context.cancelled.set() if done >= 2 else None
    with pytest.raises(RunCancelled):
        world.sync(context, **columns, batch_size=1)
    assert world.sync(**columns, batch_size=1)["rows_synced"] == 3
    assert len(world.texts()) == 5
    world.execute(insert, {"id": 10, "body": "at the watermark", "mark": values[-1]})
    assert world.sync(**columns, batch_size=1)["rows_synced"] == 1


def test_zoned_timestamps_move_with_their_moment(any_world: KbWorld) -> None:
    world = any_world
    if world.kind == "sqlite":
        pytest.skip("SQLite has no zones")
    world.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, body TEXT, mark TIMESTAMP WITH TIME ZONE)")
    world.execute(
        "INSERT INTO things VALUES (1, 'a', '2025-06-19 12:00:00+00'), (2, 'b', '2025-06-19 14:00:00.5+02'),"
        " (3, 'c', '2025-06-19 09:00:00-04')"
    )
    columns = {"source_table": "orders_db.things", "content_columns": ["body"], "filter_column": "mark"}
    world.sync(**columns, batch_size=1)
    assert world.texts() == {"1": "a", "2": "b", "3": "c"}
    world.execute("INSERT INTO things VALUES (4, 'd', '2025-06-19 12:56:00+00'), (5, 'e', '2025-06-19 12:54:00+00')")
    world.sync(**columns)
    assert set(world.texts()) == {"1", "2", "3", "4"}


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M"])
@pytest.mark.parametrize("declared", ["TIMESTAMP", "TEXT", "DATETIME"])
def test_sqlite_timestamps_in_any_form_keep_row_at_watermark_and_lag(
    sqlite_world: KbWorld, form: str, declared: str
) -> None:
    world = sqlite_world
    world.execute(f"CREATE TABLE things (id INTEGER PRIMARY KEY, body TEXT, mark {declared})")
    insert = "INSERT INTO things VALUES (:id, :body, :mark)"

    def at(id_: int, minutes: int) -> dict[str, Any]:
        return {"id": id_, "body": f"b{id_}", "mark": (NOON + timedelta(minutes=minutes)).strftime(form)}

    world.execute(insert, [at(1, 0), at(2, 60)])
    columns = {"source_table": "orders_db.things", "content_columns": ["body"], "filter_column": "mark"}
    world.sync(**columns)
    world.execute(insert, [at(3, 60), at(4, 55), at(5, 54)])
    world.sync(**columns)
    assert set(world.texts()) == {"1", "2", "3", "4"}


def test_source_that_is_gone_is_transient_and_is_never_created(sqlite_world: KbWorld) -> None:
    with pytest.raises(DriverError, match="cannot be reached") as refused:
        sqlite_world.sync()
    assert (refused.value.kind, refused.value.transient) == ("source_unreachable", True)
    assert not (sqlite_world.folder / "source.db").exists()


def test_locked_source_is_transient(sqlite_world: KbWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.resources.connections.engine.BUSY_SECONDS", 0.05)
    sqlite_world.create_orders()
    with sqlite_world.engine.connect() as other:
        other.exec_driver_sql("BEGIN EXCLUSIVE")
        with pytest.raises(DriverError, match="locked by another program") as refused:
            sqlite_world.sync()
    assert (refused.value.kind, refused.value.transient) == ("source_locked", True)


def test_source_is_opened_read_only(any_world: KbWorld) -> None:
    world = any_world
    if world.kind == "postgresql":
        pytest.skip("a PostgreSQL source is read with its own user's rights")
    world.add(1)
    before = world.source_texts()
    world.sync()
    assert world.source_texts() == before
    assert not list(world.folder.glob("source.db-*"))


def test_two_tables_share_a_base_without_touching_each_other(world: KbWorld) -> None:
    world.add(1)
    world.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, n INTEGER)")
    world.execute("INSERT INTO notes VALUES (7, 'a note', 1)")
    world.sync()
    notes = {"source_table": "orders_db.notes", "content_columns": ["body"], "filter_column": "n"}
    world.sync(**notes)
    world.execute("DELETE FROM notes")
    world.sync(**notes, compare="full")
    assert world.texts() == world.source_texts()
