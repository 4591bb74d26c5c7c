"""An index that is harmed, or does not fit: left alone with a reason, searches stay right."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.resources.knowledge.index.manifest import NAME
from tests.contract.drivers.index.searching import CONTENT, Searcher, index_of
from tests.contract.drivers.kb_world import KbWorld


def _overwrite(path: Path, at: float) -> None:
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * at))
        file.write(random.Random(1).randbytes(4096))


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


HARMS: dict[str, tuple[Callable[[Path, Path], Any], str]] = {
    "head": (lambda index, _: _overwrite(index, 0), "is damaged"),
    "middle": (lambda index, _: _overwrite(index, 0.5), "is damaged"),
    "cut": (lambda index, _: _cut(index), "bytes, not"),
    "gone": (lambda index, _: index.unlink(), "is gone"),
    "torn manifest": (lambda _, manifest: manifest.write_text('{"format": 1, "fi'), "cannot be read"),
    "other format": (
        lambda _, manifest: _edit(manifest, format=99),
        "format: Input should be 1; was it made by another version?",
    ),
    "half a manifest": (lambda _, manifest: manifest.write_text('{"format": 1}'), "stem: Field required"),
    "other kinds": (lambda _, manifest: _edit(manifest, generation="first", files=[1]), "cannot be read: files"),
    "no list": (lambda _, manifest: manifest.write_text("[]"), "cannot be read"),
    "no graph": (lambda _, manifest: _edit(manifest, files={}), "index.json is incomplete"),
    "other embedder": (lambda _, manifest: _edit(manifest, dimensions=64), "with 64 dimensions"),
    "other generation": (lambda _, manifest: _edit(manifest, generation=7), "made for generation 7"),
    "other rows": (lambda _, manifest: _edit(manifest, witnesses={"5": "0" * 16}), "of other rows"),
    "ahead": (lambda _, manifest: _edit(manifest, last_id=10**9), "of other rows"),
    "path": (lambda _, manifest: _edit(manifest, stem="/etc/passwd"), "is gone"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_harmed_index_is_left_alone_with_a_reason(
    world: KbWorld, harm: str, searcher: Searcher, by_index: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    world.rebuild()
    damage, reason = HARMS[harm]
    (index,) = world.base.glob("index-*")
    damage(index, world.base / NAME)
    assert searcher.recall(5) == 1.0
    assert by_index == []
    assert reason in searcher.search.index_fault
    assert reason in index_of(world)
    assert len([record for record in caplog.records if reason in record.getMessage()]) == 1
    world.rebuild()
    assert searcher.recall() >= 0.95
    assert searcher.search.index_fault == index_of(world) == ""


def test_manifest_that_changes_under_an_open_search_is_looked_at(
    world: KbWorld, searcher: Searcher, by_index: list[int]
) -> None:
    world.rebuild()
    searcher.recall(2)
    _edit(world.base / NAME, generation=7)
    assert searcher.recall(2) == 1.0
    (world.base / NAME).unlink()
    assert searcher.recall(2) == 1.0
    assert len(by_index) == 2
    assert searcher.search.index_fault == ""


def test_index_of_what_a_reset_replaced_is_not_used(world: KbWorld, searcher: Searcher, by_index: list[int]) -> None:
    world.rebuild()
    world.delete(*range(20))
    world.reset(**CONTENT)
    assert searcher.recall() == 1.0
    assert by_index == []
    assert "made for generation 1, the knowledge base is at 2" in searcher.search.index_fault
    world.rebuild()
    assert searcher.recall() >= 0.95
    assert len(by_index) == 40
