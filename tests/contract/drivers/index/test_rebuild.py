"""The contract of corpus-rebuild-vector-index: quick searches that are as right as before, whatever happens."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.core.driving import DriverError
from agent.drivers.corpus_rebuild_vector_index.parameters import RebuildParameters
from agent.resources.embedders import open_embedder
from agent.resources.knowledge.index.manifest import read_manifest
from agent.resources.knowledge.search import KnowledgeSearch
from tests.contract.drivers.index.searching import CONTENT, ROWS, Searcher, files, index_of, text_of
from tests.contract.drivers.kb_world import KbWorld, later


def test_open_searches_use_the_new_index_by_themselves(world: KbWorld, searcher: Searcher, by_index: list[int]) -> None:
    assert searcher.recall() == 1.0
    assert by_index == []
    context = world.context()
    result = world.rebuild(context)
    assert searcher.recall() >= 0.95
    assert by_index == [50] * 40
    manifest = read_manifest(world.base)
    assert manifest is not None
    assert (result["rows"], result["generation"]) == (ROWS, 1)
    assert result["bytes"] == (world.base / f"{manifest.stem}.usearch").stat().st_size > ROWS * 512
    assert 0.95 <= result["recall"] <= 1.0
    assert result["seconds"] >= 0
    assert [step.key for step in context.steps] == ["build", "measure", "publish"]
    assert context.progressed[0] == (0, ROWS)
    assert context.progressed[-1] == (ROWS, ROWS)
    assert len(context.progressed) > 2


def test_rebuilt_index_takes_the_place_of_the_one_before(world: KbWorld, searcher: Searcher) -> None:
    world.rebuild()
    searcher.recall(2)
    before = files(world)
    world.rebuild()
    assert len(files(world)) == len(before) == 2
    assert files(world) != before
    assert searcher.recall() >= 0.95
    assert searcher.search.index_fault == ""


def test_rows_newer_than_the_index_are_found_and_gone_ones_are_not(
    world: KbWorld, searcher: Searcher, by_index: list[int]
) -> None:
    world.rebuild()
    world.add(5000, text="a violin concerto by candlelight", at=later(500))
    world.change(7, text="submarine volcano eruption", at=later(501))
    world.delete(8, 9)
    world.sync(compare="full", **CONTENT)
    assert searcher.keys("violin music", 1) == ["5000"]
    assert searcher.keys("volcano under the sea", 1) == ["7"]
    for gone in (7, 8, 9):
        assert str(gone) not in searcher.keys(text_of(gone), 5)
    assert searcher.recall() >= 0.95
    assert len(by_index) == 45


def test_searches_go_on_and_are_right_when_most_of_the_index_is_gone(world: KbWorld, searcher: Searcher) -> None:
    world.rebuild()
    world.delete(*range(ROWS - 100))
    world.sync(compare="full", **CONTENT)
    assert searcher.recall() == 1.0


def test_filters_stay_right(world: KbWorld, searcher: Searcher, by_index: list[int]) -> None:
    world.rebuild()
    assert searcher.recall(10, price=1.5) >= 0.95
    assert searcher.recall(10, updated_at=later(5).isoformat(" ")) == 1.0
    assert searcher.keys("anything", id=77) == ["77"]
    assert searcher.keys("anything", id=-1) == []
    assert len(by_index) == 22


def test_rows_that_are_all_the_same_are_all_found(world: KbWorld, searcher: Searcher, by_index: list[int]) -> None:
    world.execute("UPDATE orders SET description = 'not available' WHERE id % 3 > 0")
    world.execute("UPDATE orders SET description = '' WHERE id % 30 = 0")
    world.sync(compare="full", **CONTENT)
    result = world.rebuild()
    assert (result["rows"], result["recall"] >= 0.95) == (ROWS, True)
    (twins,) = world.base.glob("index-*.twins")
    assert twins.stat().st_size == 16 * (ROWS * 2 // 3 - 1 + ROWS // 30 - 1)
    assert result["bytes"] == sum(path.stat().st_size for path in world.base.glob("index-*"))
    assert searcher.recall() >= 0.95
    world.delete(1, 2, 4)
    world.change(5, text="a violin concerto", at=later(500))
    world.sync(compare="full", **CONTENT)
    by_index.clear()
    assert searcher.keys("not available", 3) == ["7", "8", "10"]
    assert searcher.keys("not available", 1, id=ROWS - 1) == [str(ROWS - 1)]
    assert searcher.keys("violin", 1) == ["5"]
    assert len(by_index) == 3
    with twins.open("r+b") as file:
        file.write(b"\1" * 8)
    with closing(KnowledgeSearch(world.base, "wordllama", 256)) as fresh:
        fresh.search("", searcher.vector("not available"), "vector", 3, {})
        assert "twins is damaged" in fresh.index_fault


def test_large_pages_are_exact(world: KbWorld, searcher: Searcher, by_index: list[int]) -> None:
    world.rebuild()
    assert len(searcher.keys("sailboard", 1000)) == 1000
    assert by_index == []


def test_low_recall_fails_and_leaves_the_old_index(world: KbWorld, searcher: Searcher) -> None:
    world.rebuild()
    before = files(world)
    with pytest.raises(DriverError, match=r"below recall_floor 1; the index that was there stays") as refused:
        world.rebuild(recall_floor=1, connectivity=4, expansion=16)
    assert (refused.value.kind, refused.value.transient) == ("low_recall", False)
    assert files(world) == before
    assert index_of(world) == ""


@pytest.mark.parametrize("base", ["none", "empty", "cleared"])
def test_nothing_to_index_is_said(tmp_path: Path, base: str) -> None:
    world = KbWorld(tmp_path, f"sqlite:///{tmp_path}/source.db")
    world.create_orders()
    if base != "none":
        world.sync()
    if base == "cleared":
        world.add(1)
        world.sync()
        world.reset(mode="clear")
    with pytest.raises(DriverError, match="'orders_kb' has no rows to index; run its sync first") as refused:
        world.rebuild()
    assert refused.value.kind == "no_data"
    assert files(world) == []


@pytest.mark.parametrize("rows", [1, 3, 60])
def test_few_rows_are_no_matter(tmp_path: Path, rows: int, by_index: list[int]) -> None:
    world = KbWorld(tmp_path, f"sqlite:///{tmp_path}/source.db")
    world.create_orders()
    world.add(*range(rows), text="the same")
    world.add(500, text="")
    world.sync(**CONTENT)
    assert world.rebuild()["rows"] == rows + 1
    with closing(Searcher(world).search) as search:
        vector = open_embedder("wordllama").embed(["the same"])[0]
        assert len(search.search("", vector, "vector", 10, {})) == min(10, rows + 1)


@pytest.mark.parametrize("wrong", [{"recall_floor": 1.5}, {"recall_floor": 0}, {"sample": 3}, {"threads": 0}, {"x": 1}])
def test_wrong_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RebuildParameters.model_validate({"knowledge_base": "orders_kb", **wrong})
