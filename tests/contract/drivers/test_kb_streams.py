"""Several tables in one job: each on its own way, one knowledge base for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import ValidationError

from agent.core.driving import DriverError, Manifest, RunCancelled
from agent.drivers.kb_reset.manifest import MANIFEST as RESET
from agent.drivers.kb_reset.run import run as kb_reset
from agent.drivers.kb_sync.manifest import MANIFEST as SYNC
from agent.drivers.kb_sync.run import check
from agent.drivers.kb_sync.run import run as kb_sync
from shared.errors import InvalidInput
from tests.contract.drivers.kb_world import KbWorld, later, world_on
from tests.harness.context import RecordingContext

ORDERS = {
    "source_table": "orders_db.orders",
    "content_columns": ["product", "description"],
    "filter_column": "updated_at",
}
NOTES = {"source_table": "orders_db.notes", "content_columns": ["body"], "filter_column": "seq", "key_columns": ["seq"]}
DATA: dict[str, Any] = {"knowledge_base": "orders_kb", "streams": [ORDERS, NOTES]}


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KbWorld]:
    with world_on(request.param, tmp_path, request) as world:
        world.create_orders()
        world.add(1, 2, 3)
        world.execute("CREATE TABLE notes (seq INTEGER, body TEXT)")
        note(world, 1, 2)
        yield world


@pytest.fixture
def lone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KbWorld]:
    with world_on("sqlite", tmp_path, request) as world:
        world.create_orders()
        world.execute("CREATE TABLE notes (seq INTEGER, body TEXT)")
        yield world


def note(world: KbWorld, *numbers: int, text: str = "note") -> None:
    world.execute("INSERT INTO notes VALUES (:seq, :body)", [{"seq": n, "body": f"{text} {n}"} for n in numbers])


def sync(world: KbWorld, context: RecordingContext | None = None, **data: Any) -> dict[str, Any]:
    return kb_sync(context or world.context(), SYNC.parameters.model_validate(DATA | data))


def reset(world: KbWorld, context: RecordingContext | None = None, **data: Any) -> dict[str, Any]:
    return kb_reset(context or world.context(), RESET.parameters.model_validate(DATA | data))


def origins(world: KbWorld) -> dict[str, int]:
    return dict(world.query("SELECT origin, row_count FROM shares WHERE state = 'live'"))


def committed(context: RecordingContext) -> dict[str, int]:
    return {step.data["origin"]: step.data["rows_synced"] for step in context.steps if step.data}


def test_each_stream_has_its_own_origin_and_watermark(world: KbWorld) -> None:
    result = sync(world)
    assert result["rows_synced"] == 5
    told = {stream["stream"]: (stream["rows_synced"], stream["watermark"] is not None) for stream in result["streams"]}
    assert told == {"orders_db.orders": (3, True), "orders_db.notes": (2, True)}
    assert len(origins(world)) == 2
    note(world, 3)
    again = sync(world)
    assert [stream["rows_synced"] for stream in again["streams"]] == [0, 1]
    world.add(4, at=later(60))
    assert [stream["rows_synced"] for stream in sync(world)["streams"]] == [1, 0]


def test_a_stream_that_fails_is_named_and_the_others_go_on(world: KbWorld) -> None:
    world.execute("ALTER TABLE orders RENAME TO elsewhere")
    context = world.context("run-f")
    with pytest.raises(DriverError) as failure:
        sync(world, context)
    assert failure.value.kind == "streams_failed"
    assert failure.value.message.startswith("1 of 2 streams failed: orders_db.orders: ")
    assert sum(committed(context).values()) == 2
    assert list(origins(world).values()) == [2]
    world.execute("ALTER TABLE elsewhere RENAME TO orders")
    note(world, 3)
    result = sync(world, world.context("run-f", attempt=2, checkpoint=context.checkpoints[-1]))
    # what was done before stays done in this run; the next one brings in what has come since
    assert [stream["rows_synced"] for stream in result["streams"]] == [3, 2]
    assert result["rows_synced"] == 5
    assert [stream["rows_synced"] for stream in sync(world)["streams"]] == [0, 1]


def test_a_cancel_ends_all_of_it(lone: KbWorld) -> None:
    lone.add(*range(1, 9))
    note(lone, 1)
    context = lone.context()
    context.on_progress = lambda done, _total: context.cancelled.set() if done >= 4 else None
    with pytest.raises(RunCancelled):
        sync(lone, context, batch_size=2)
    # what searches find is what was told, and nothing of the next stream
    assert committed(context) == {origin: count for origin, count in origins(lone).items() if count}


def test_a_reset_of_one_stream_leaves_the_other(world: KbWorld) -> None:
    sync(world)
    before = world.query("SELECT rows.id FROM rows JOIN shares ON shares.id = share WHERE origin LIKE '%orders'")
    world.execute("DELETE FROM notes WHERE seq = 1")
    result = reset(world, only=["orders_db.notes"])
    assert [stream["stream"] for stream in result["streams"]] == ["orders_db.notes"]
    assert sorted(origins(world).values()) == [1, 3]
    assert (
        world.query("SELECT rows.id FROM rows JOIN shares ON shares.id = share WHERE origin LIKE '%orders'") == before
    )


def test_clear_of_named_streams_empties_them(world: KbWorld) -> None:
    sync(world)
    result = reset(world, mode="clear", only=["orders_db.orders"])
    assert result["rows_deleted"] == 3
    assert sorted(origins(world).values()) == [0, 2]
    assert reset(world, mode="clear")["rows_deleted"] == 2
    assert sorted(origins(world).values()) == [0, 0]


def test_a_failed_rebuild_has_committed_nothing_for_searches(world: KbWorld) -> None:
    sync(world)
    context = world.context()
    context.on_progress = lambda done, _total: context.cancelled.set() if done >= 1 else None
    with pytest.raises(RunCancelled):
        reset(world, context)
    assert committed(context) == {}
    assert sum(origins(world).values()) == 5


@pytest.mark.parametrize(
    ("data", "places"),
    [
        ({}, {("source_table",), ("content_columns",), ("filter_column",)}),
        ({"streams": []}, {("streams",)}),
        ({"streams": [ORDERS, ORDERS]}, {("streams",)}),
        ({"streams": [ORDERS] * 101}, {("streams",)}),
        ({"streams": [ORDERS, {"source_table": "orders"}]}, {("streams", 1, "source_table"), ("streams", 1, "content_columns"), ("streams", 1, "filter_column")}),
        ({"streams": [{}]}, {("streams", 0, "source_table"), ("streams", 0, "content_columns"), ("streams", 0, "filter_column")}),
        ({"streams": [ORDERS | {"mode": "clear"}]}, {("streams", 0, "mode")}),
        ({"streams": [ORDERS], "source_table": "orders_db.notes"}, {("source_table",)}),
        ({"streams": [ORDERS], "source_table": "orders_db.notes", "batch_size": 0}, {("source_table",), ("batch_size",)}),
        ({"streams": "orders"}, {("streams",)}),
        ({"streams": ["orders"]}, {("streams", 0)}),
    ],
)  # fmt: skip
def test_wrong_streams_are_named(data: dict[str, Any], places: set[tuple[Any, ...]]) -> None:
    for model in (SYNC.parameters, RESET.parameters):
        with pytest.raises(ValidationError) as refused:
            model.model_validate({"knowledge_base": "orders_kb", **data})
        found = {fault["loc"] for fault in refused.value.errors()}
        assert {place for place in found if place[0] in ("streams", "batch_size")} == {
            place for place in places if place[0] in ("streams", "batch_size")
        }
        assert places <= found


def test_only_names_streams_that_there_are() -> None:
    with pytest.raises(ValidationError, match="none of the streams"):
        RESET.parameters.model_validate(DATA | {"only": ["orders_db.others"]})


def test_the_live_source_is_looked_at_for_each(lone: KbWorld) -> None:
    wrong = SYNC.parameters.model_validate(
        DATA | {"streams": [ORDERS | {"filter_column": "nope"}, NOTES | {"content_columns": ["nope"]}]}
    )
    with pytest.raises(InvalidInput) as refused:
        check(wrong, {"orders_db": lone.grant}, {})
    found = {fault.field for fault in refused.value.faults}
    assert found == {"data.streams.0.filter_column", "data.streams.1.content_columns"}


@pytest.mark.parametrize("manifest", [SYNC, RESET])
@pytest.mark.parametrize(
    ("data", "fits"),
    [
        (ORDERS, True),
        ({**ORDERS, "streams": None}, True),
        ({"streams": [ORDERS, NOTES]}, True),
        ({"streams": []}, False),
        ({}, False),
        ({"source_table": "orders_db.orders", "content_columns": ["body"]}, False),
        ({**ORDERS, "streams": [NOTES]}, False),
        ({"streams": [NOTES], "key_columns": None}, False),
        ({"streams": [{"source_table": "orders_db.orders"}]}, False),
    ],
)
def test_the_published_schema_says_what_is_taken(manifest: Manifest, data: dict[str, Any], fits: bool) -> None:
    given = {"knowledge_base": "orders_kb", **data}
    schema = manifest.parameters.model_json_schema()
    assert schema["required"] == ["knowledge_base"]
    assert jsonschema_rs.validator_for(schema).is_valid(given) is fits
    try:
        manifest.parameters.model_validate(given)
    except ValidationError:
        assert not fits
    else:
        assert fits


def test_who_names_no_table_is_told_of_both_ways() -> None:
    with pytest.raises(ValidationError) as refused:
        SYNC.parameters.model_validate({"compare": "some", "content_columns": ["body"]})
    found = {fault["loc"]: fault["msg"] for fault in refused.value.errors()}
    assert found["source_table",] == "name a table, or several in `streams`"
    assert {("filter_column",), ("knowledge_base",), ("compare",)} <= set(found)


def test_the_progress_goes_on_over_all_streams(lone: KbWorld) -> None:
    lone.add(*range(1, 8))
    note(lone, *range(1, 5))
    context = lone.context()
    sync(lone, context, batch_size=2)
    done = [percent for percent, _ in context.progressed]
    assert done == sorted(done)
    assert (done[0], done[-1], {total for _, total in context.progressed}) == (0, 100, {100})
    assert {50, 75} <= set(done)
