"""The contract of corpus-replace-filter-attrs: all rows at once, exactly once, for as long as it is wanted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.core.driving import DriverError, RunCancelled
from agent.drivers.corpus_replace_filter_attrs.manifest import MANIFEST
from agent.drivers.corpus_replace_filter_attrs.parameters import ReplaceParameters
from agent.drivers.corpus_replace_filter_attrs.reading import check
from agent.resources.knowledge.attributes.replacing import Replacement
from agent.resources.knowledge.search import KnowledgeSearch
from shared.errors import Fault, InvalidInput
from tests.contract.drivers.kb_victim import start
from tests.contract.drivers.kb_world import KbWorld, later, world_on

ROWS = 400
COLUMNS = {"content_columns": ["description"], "attribute_columns": ["product", "price"]}
FORM: dict[str, Any] = {
    "rename": {"product": "name"},
    "map": {"price": {"1.5": "cheap"}},
    "set": {"region": "eu"},
}


@pytest.fixture(params=["sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KbWorld]:
    """Orders, synced."""
    with world_on(request.param, tmp_path, request) as world:
        world.create_orders()
        world.add(*range(ROWS))
        world.sync(**COLUMNS)
        world.embedded.clear()
        yield world


def shown(number: int | str) -> dict[str, Any]:
    return {"name": f"product {number}", "price": "cheap", "region": "eu"}


def plain(number: int | str) -> dict[str, Any]:
    return {"product": f"product {number}", "price": 1.5}


def keys(world: KbWorld, **filter_: Any) -> set[str]:
    """What a search by words finds under this filter."""
    with closing(KnowledgeSearch(world.base, "wordllama", 256)) as search:
        return {hit["key"] for hit in search.search("shoes", None, "text", 1000, filter_)}


def all_rows() -> set[str]:
    return set(map(str, range(ROWS)))


def test_attributes_are_renamed_mapped_and_set_without_embedding(world: KbWorld) -> None:
    context = world.context()
    result = world.replace(context, **FORM)
    assert world.attributes() == {key: shown(key) for key in all_rows()}
    assert result == {
        "rows": ROWS,
        "rows_changed": ROWS,
        "rows_read": 0,
        "rows_not_in_source": 0,
        "origins": ["orders_db.orders"],
    }
    assert world.embedded == []
    assert [step.key for step in context.steps] == ["make", "put in force"]
    assert context.progressed[-1] == (ROWS, ROWS)
    assert keys(world, region="eu", name="product 3") == {"3"}
    assert keys(world, product="product 3") == set()


def test_keep_and_drop(world: KbWorld) -> None:
    world.replace(keep=["price"])
    assert world.attributes()["3"] == {"price": 1.5}
    world.replace(drop=["price"])
    assert world.attributes()["3"] == {"product": "product 3"}
    world.replace(keep=[], set={"none": None, "yes": True})
    assert world.attributes()["3"] == {"none": None, "yes": True}


def test_values_are_mapped_by_their_text(world: KbWorld) -> None:
    world.execute("UPDATE orders SET price = NULL WHERE id = 1")
    world.execute("UPDATE orders SET price = 7 WHERE id = 2")
    world.sync(compare="full", **COLUMNS)
    world.replace(map={"price": {"null": 0, "7": "seven"}})
    assert [world.attributes()[key]["price"] for key in ("1", "2", "3")] == [0, "seven", 1.5]


def test_searches_see_the_old_ones_to_the_end_and_then_the_new_of_all_rows(world: KbWorld) -> None:
    context = world.context()
    seen: list[tuple[int, int]] = []
    context.on_progress = lambda _done, _total: seen.append(
        (len(keys(world, region="eu")), len(keys(world, price=1.5)))
    )
    world.replace(context, batch_size=7, **FORM)
    assert len(seen) > 8
    assert set(seen) == {(0, ROWS)}
    assert (len(keys(world, region="eu")), len(keys(world, price=1.5))) == (ROWS, 0)


def test_syncs_and_resets_bring_rows_in_the_same_way(world: KbWorld) -> None:
    world.replace(**FORM)
    assert world.sync(compare="full", **COLUMNS)["rows_synced"] == 0
    world.add(1000, at=later(1000))
    world.change(5, text="blue shoes, as new", at=later(1001))
    world.execute("UPDATE orders SET price = 9, updated_at = :at WHERE id = 6", {"at": world.moment(later(1002))})
    assert world.sync(**COLUMNS)["rows_synced"] == 3
    assert world.attributes()["1000"] == shown(1000)
    assert world.attributes()["5"] == shown(5)
    assert world.attributes()["6"] == {**shown(6), "price": 9}
    world.reset(**COLUMNS)
    assert world.attributes()["7"] == shown(7)


def test_next_replacement_begins_from_what_the_source_has(world: KbWorld) -> None:
    world.replace(**FORM)
    world.replace(set={"tier": 1})
    assert world.attributes() == {key: plain(key) | {"tier": 1} for key in all_rows()}
    again = world.replace(set={"tier": 1})
    assert (again["rows"], again["rows_changed"]) == (ROWS, 0)
    assert world.replace(restore=True)["rows_changed"] == ROWS
    assert world.attributes() == {key: plain(key) for key in all_rows()}
    assert world.query("SELECT count(*) FROM rows WHERE source_attributes IS NOT NULL") == [(0,)]
    assert world.query("SELECT * FROM forms") == []
    world.add(1000, at=later(1000))
    world.sync(**COLUMNS)
    assert world.attributes()["1000"] == plain(1000)


def test_vector_index_stays_good(world: KbWorld) -> None:
    world.rebuild()
    world.replace(**FORM)
    with closing(KnowledgeSearch(world.base, "wordllama", 256)) as search:
        hits = search.search("", world_vector(), "vector", 5, {"region": "eu"})
        assert len(hits) == 5
        assert search.index_fault == ""


def world_vector() -> Any:
    from agent.resources.embedders import open_embedder

    return open_embedder("wordllama").embed(["blue shoes"])[0]


def test_only_the_named_origin_is_touched(world: KbWorld) -> None:
    world.execute("CREATE TABLE more (id INTEGER PRIMARY KEY, description TEXT, updated_at TIMESTAMP)")
    world.execute("INSERT INTO more VALUES (900, 'green shoes', '2025-06-19 12:00:00')")
    world.sync(source_table="orders_db.more", content_columns=["description"], attribute_columns=["id"])
    result = world.replace(origin="orders_db.more", set={"region": "us"})
    assert (result["rows"], result["origins"]) == (1, ["orders_db.more"])
    assert keys(world, region="us") == {"900"}
    assert world.replace(set={"region": "eu"})["origins"] == ["orders_db.more", "orders_db.orders"]
    assert len(keys(world, region="eu")) == ROWS + 1


@pytest.mark.parametrize("world", ["sqlite", "postgresql", "duckdb"], indirect=True)
def test_columns_are_read_from_the_table_again_by_key(world: KbWorld) -> None:
    world.execute("UPDATE orders SET product = 'silently renamed', price = 2.5 WHERE id < 10")
    world.delete(50, 51)
    context = world.context()
    told = {"origin": "orders_db.orders", "columns": {"product": "product", "changed": "updated_at"}}
    result = world.replace(context, batch_size=7, rename={"product": "name"}, **told)
    assert {key: result[key] for key in ("rows", "rows_changed", "rows_read", "rows_not_in_source")} == {
        "rows": ROWS,
        "rows_changed": ROWS,
        "rows_read": ROWS - 2,
        "rows_not_in_source": 2,
    }
    attributes = world.attributes()
    assert attributes["3"]["name"] == "silently renamed"
    assert attributes["3"]["price"] == 1.5
    assert str(attributes["3"]["changed"]).startswith("2025-06-19")
    assert attributes["50"] == {"name": "product 50", "price": 1.5}
    assert [step.key for step in context.steps] == ["read", "make", "put in force"]


def test_sync_agrees_with_columns_that_it_brings_itself(world: KbWorld) -> None:
    world.execute("UPDATE orders SET product = 'silently renamed' WHERE id < 10")
    world.replace(origin="orders_db.orders", columns={"product": "product"})
    assert world.attributes()["3"]["product"] == "silently renamed"
    assert world.sync(compare="full", **COLUMNS)["rows_synced"] == 0


@pytest.mark.parametrize("reads", [False, True])
def test_killed_at_any_moment_nothing_is_half_done_and_the_next_attempt_ends_it(world: KbWorld, reads: bool) -> None:
    told = {**FORM, "batch_size": 1}
    if reads:
        told |= {"origin": "orders_db.orders", "columns": {"price": "price"}}
    chance = random.Random(reads)
    for _ in range(2):
        victim = start(world, "replace", "run-k", **told)
        assert victim.killed_after(chance.randint(2, 15), chance.uniform(0, 0.005))
        assert world.attributes() == {key: plain(key) for key in all_rows()}
    context = world.context("run-k", attempt=3)
    result = world.replace(context, **told)
    assert world.attributes() == {key: shown(key) for key in all_rows()}
    assert (result["rows"], result["rows_changed"]) == (ROWS, ROWS)
    assert result["rows_read"] == (ROWS if reads else 0)
    assert context.progressed[0][0] > 0
    assert world.query("SELECT count(*) FROM replaced") == [(0,)]


def test_run_that_was_lost_after_its_end_tells_the_same_again(world: KbWorld) -> None:
    first = world.replace(world.context("run-l"), **FORM)
    world.add(1000, at=later(1000))
    world.sync(**COLUMNS)
    assert world.replace(world.context("run-l", attempt=2), **FORM) == first


def cancelled_after(world: KbWorld, run_id: str, rows: int, **told: Any) -> None:
    context = world.context(run_id)
    context.on_progress = lambda done, _total: context.cancelled.set() if done >= rows else None
    with pytest.raises(RunCancelled):
        world.replace(context, batch_size=10, **told)


def test_sync_between_two_attempts_is_not_lost(world: KbWorld) -> None:
    told = {**FORM, "origin": "orders_db.orders"}
    cancelled_after(world, "run-r", 40, **told)
    world.delete(1)
    world.change(2, text="red shoes", at=later(1000))
    world.execute("UPDATE orders SET price = 9, updated_at = :at WHERE id = 3", {"at": world.moment(later(1001))})
    world.add(1000, at=later(1002))
    world.sync(compare="full", **COLUMNS)
    assert world.attributes()["2"] == plain(2)
    context = world.context("run-r", attempt=2)
    result = world.replace(context, batch_size=10, **told)
    expected = {key: shown(key) for key in (all_rows() | {"1000"}) - {"1"}}
    assert world.attributes() == expected | {"3": {**shown(3), "price": 9}}
    assert result["rows"] == ROWS
    assert context.progressed[0] == (37, ROWS)


def test_another_run_does_not_take_over_what_a_cancelled_one_left(world: KbWorld) -> None:
    cancelled_after(world, "run-r", 40, **FORM)
    world.replace(set={"tier": 1})
    assert world.attributes() == {key: plain(key) | {"tier": 1} for key in all_rows()}
    world.replace(world.context("run-r", attempt=2), **FORM)
    assert world.attributes() == {key: shown(key) for key in all_rows()}


def test_cancel_at_the_last_step_undoes_it(world: KbWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.drivers.corpus_replace_filter_attrs.run.LOOK_EVERY", 50)
    context = world.context("run-c")
    put_in_force = Replacement.put_in_force

    def cancel_then_begin(replacement: Replacement) -> None:
        context.cancelled.set()
        put_in_force(replacement)

    with monkeypatch.context() as patched:
        patched.setattr(Replacement, "put_in_force", cancel_then_begin)
        with pytest.raises(RunCancelled):
            world.replace(context, **FORM)
    assert world.attributes() == {key: plain(key) for key in all_rows()}
    assert [step.state for step in context.steps] == ["completed", "cancelled"]
    again = world.context("run-c", attempt=2)
    assert world.replace(again, **FORM)["rows_changed"] == ROWS
    assert again.progressed == [(ROWS, ROWS)]


def test_half_built_reset_ends_with_the_new_form(world: KbWorld) -> None:
    context = world.context("run-r")
    context.on_progress = lambda done, _total: context.cancelled.set() if done >= 30 else None
    with pytest.raises(RunCancelled):
        world.reset(context, batch_size=10, **COLUMNS)
    world.replace(**FORM)
    world.reset(world.context("run-r", attempt=2), batch_size=10, **COLUMNS)
    assert world.attributes() == {key: shown(key) for key in all_rows()}


@pytest.mark.parametrize(
    ("origin", "there"), [("orders_db.order", "it has rows of orders_db.orders"), ("x", "it has rows of orders_db")]
)
def test_unknown_origin_is_named_with_those_that_are_there(world: KbWorld, origin: str, there: str) -> None:
    with pytest.raises(DriverError, match=there) as refused:
        world.replace(origin=origin, set={"a": 1})
    assert (refused.value.kind, refused.value.transient) == ("unknown_origin", False)
    assert world.attributes()["1"] == plain(1)


def test_empty_base_has_no_origin_and_nothing_to_do(tmp_path: Path) -> None:
    world = KbWorld(tmp_path, f"sqlite:///{tmp_path}/source.db")
    assert world.replace(set={"a": 1}) == {
        "rows": 0, "rows_changed": 0, "rows_read": 0, "rows_not_in_source": 0, "origins": [],
    }  # fmt: skip
    with pytest.raises(DriverError, match="it has no rows yet; run its sync first"):
        world.replace(origin="a.b", set={"a": 1})


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({}, "nothing is to be replaced"),
        ({"restore": True, "set": {"a": 1}}, "restore shows what the source has"),
        ({"columns": {"a": "b"}}, "name it in origin"),
        ({"columns": {"a": "b"}, "origin": "orders_db"}, "name it in origin"),
        ({"keep": ["a"], "drop": ["b"]}, "leave drop out"),
        ({"drop": ["a"], "rename": {"a": "b"}}, "'a' would not be shown"),
        ({"keep": ["b"], "map": {"a": {}}}, "'a' would not be shown"),
        ({"rename": {"a": "c", "b": "c"}}, "'c' would be two attributes"),
        ({"rename": {"a": "c"}, "set": {"c": 1}}, "'c' would be two attributes"),
        ({"set": {"a": [1]}}, "set.a"),
        ({"set": {"": 1}}, "set"),
        ({"renamed": {}}, "renamed"),
    ],
)
def test_wrong_parameters_are_refused(told: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ReplaceParameters.model_validate({"knowledge_base": "orders_kb", **told})


def faults(world: KbWorld, **told: Any) -> list[Fault]:
    parameters = ReplaceParameters.model_validate({"knowledge_base": "orders_kb", **told})
    try:
        check(parameters, {"orders_db": world.grant}, {})
    except InvalidInput as refused:
        return list(refused.faults)
    return []


def test_table_and_columns_are_checked_when_the_job_is_published(world: KbWorld) -> None:
    assert faults(world, set={"a": 1}) == []
    assert faults(world, origin="orders_db.orders", columns={"a": "price"}) == []
    (table,) = faults(world, origin="orders_db.oders", columns={"a": "price"})
    assert (table.field, table.code) == ("data.origin", "invalid_table")
    (column,) = faults(world, origin="orders_db.orders", columns={"a": "prize", "b": "id"})
    assert (column.field, column.code) == ("data.columns.a", "unknown_column")
    assert "did you mean 'price'?" in column.message


def test_manifest_names_what_the_job_needs() -> None:
    parameters = ReplaceParameters.model_validate({"knowledge_base": "kb", "origin": "db.t", "columns": {"a": "b"}})
    needs = MANIFEST.needs(parameters)
    assert (needs.connections, needs.knowledge_bases) == (("db",), ("kb",))
    assert MANIFEST.needs(parameters.model_copy(update={"columns": {}})).connections == ()
    assert MANIFEST.repeat_safe
    MANIFEST.parameters.model_validate(MANIFEST.template)
