"""The contract of corpus-rebuild-vector-index: quick searches that are as right as before, whatever happens."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from agent.core.driving import DriverError, RunCancelled
from agent.drivers.corpus_rebuild_vector_index.parameters import RebuildParameters
from agent.resources.embedders import Vectors, open_embedder
from agent.resources.knowledge.index.manifest import NAME, index_fault, read_manifest
from agent.resources.knowledge.index.opened import VectorIndex
from agent.resources.knowledge.search import KnowledgeSearch
from tests.contract.drivers.kb_world import KbWorld, later
from tests.contract.drivers.test_kb_kill import kill_after, start

ROWS = 1200
WORDS = [
    f"{first}{second}"
    for first in ("sun", "rain", "wood", "stone", "cook", "sail")
    for second in ("shine", "bow", "worker", "house", "book", "board", "path", "land", "craft", "fall")
]


def text_of(number: int, length: int = 6) -> str:
    return " ".join([*random.Random(number).choices(WORDS, k=length), str(number)])


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of some rows, synced once, without an index."""
    folder = tmp_path_factory.mktemp("synced")
    world = KbWorld(folder, f"sqlite:///{folder}/source.db")
    world.create_orders()
    rows = [{"id": n, "text": text_of(n), "at": world.moment(later(n % 100))} for n in range(ROWS)]
    world.execute("INSERT INTO orders VALUES (:id, 'lamp', :text, 1.5, :at)", rows)
    world.sync(**CONTENT)
    world.engine.dispose()
    return folder


CONTENT = {"content_columns": ["description"]}


@pytest.fixture
def world(synced: Path, tmp_path: Path) -> Iterator[KbWorld]:
    shutil.copytree(synced, tmp_path / "world")
    world = KbWorld(tmp_path / "world", f"sqlite:///{tmp_path}/world/source.db")
    yield world
    world.engine.dispose()


@pytest.fixture
def by_index(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each search took from an index."""
    taken: list[int] = []
    nearest = VectorIndex.nearest

    def counted(index: VectorIndex, vector: Vectors, count: int) -> Any:
        taken.append(count)
        return nearest(index, vector, count)

    monkeypatch.setattr(VectorIndex, "nearest", counted)
    return taken


class Searcher:
    """One resident search of a base, and the truth beside it."""

    def __init__(self, world: KbWorld) -> None:
        self.world = world
        self.search = KnowledgeSearch(world.base, "wordllama", 256)
        self._embedder = open_embedder("wordllama")

    def keys(self, question: str, limit: int = 10, **filter_: Any) -> list[str]:
        hits = self.search.search(question, self.vector(question), "vector", limit, filter_)
        return [hit["key"] for hit in hits]

    def recall(self, questions: int = 40, **filter_: Any) -> float:
        """Of the ten nearest rows by the rows themselves, the part that is found."""
        rows = self.world.query(
            "SELECT key, vector, attributes FROM rows JOIN shares ON shares.id = rows.share WHERE state = 'live'"
        )
        kept = [row for row in rows if not filter_ or filter_.items() <= json.loads(row[2]).items()]
        matrix = np.frombuffer(b"".join(row[1] for row in kept), np.float32).reshape(-1, 256)
        found = wanted = 0
        for number in range(questions):
            question = text_of(10_000 + number, 4)
            scores = {row[0]: score for row, score in zip(kept, matrix @ self.vector(question), strict=True)}
            least = sorted(scores.values())[-min(10, len(scores))] - 1e-5
            keys = self.keys(question, **filter_)
            assert len(keys) == len(set(keys)) == min(10, len(scores))
            wanted += len(keys)
            found += sum(scores[key] >= least for key in keys)
        return found / wanted

    def vector(self, question: str) -> Vectors:
        vector: Vectors = self._embedder.embed([question])[0]
        return vector


@pytest.fixture
def searcher(world: KbWorld) -> Iterator[Searcher]:
    searcher = Searcher(world)
    yield searcher
    searcher.search.close()


def files(world: KbWorld) -> list[str]:
    return sorted(path.name for pattern in ("index*", "aside*") for path in world.base.glob(pattern))


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


def test_searches_are_answered_while_it_is_built(world: KbWorld, searcher: Searcher) -> None:
    context = world.context()
    seen: list[float] = []
    context.on_progress = lambda _done, _total: seen.append(searcher.recall(2))
    world.rebuild(context)
    assert len(seen) > 3
    assert set(seen) == {1.0}


def test_sync_waits_for_the_build_and_is_found_after_it(world: KbWorld, searcher: Searcher) -> None:
    world.add(5000, text="a violin concerto by candlelight", at=later(500))
    context = world.context("run-build")
    syncing: list[subprocess.Popen[str]] = []

    def begin(done: int, _total: int | None) -> None:
        if done and not syncing:
            syncing.append(start(world, "sync", "run-sync", **CONTENT))
            assert syncing[0].stdout is not None
            assert "waiting: job 'Job under test' (run run-build" in syncing[0].stdout.readline()

    context.on_progress = begin
    world.rebuild(context)
    (sync,) = syncing
    assert sync.stdout is not None
    with sync.stdout:
        assert "result" in sync.stdout.read()
    assert sync.wait() == 0
    assert searcher.keys("violin music", 1) == ["5000"]
    assert searcher.search.index_fault == ""


@pytest.mark.parametrize("had_one", [False, True])
def test_killed_build_leaves_what_was_there(world: KbWorld, searcher: Searcher, had_one: bool) -> None:
    if had_one:
        world.rebuild()
    before = files(world)
    chance = random.Random(had_one)
    for turn in range(2):
        victim = start(world, "rebuild", f"run-{turn}", threads=1)
        kill_after(victim, chance.randint(1, 4), chance.uniform(0, 0.1))
        done = "run-" + str(turn) in "".join(files(world))
        assert done or [name for name in files(world) if not name.startswith("aside-")] == before
        assert searcher.recall(5) >= 0.9
        before = [name for name in files(world) if not name.startswith("aside-")]
    world.rebuild(world.context("run-1", attempt=2))
    assert len(files(world)) == 2
    assert index_of(world) == ""
    assert searcher.recall() >= 0.95


def test_killed_while_it_is_put_in_place(world: KbWorld, searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is there, the manifest is not: as good as nothing, and cleared away by the next one."""
    with monkeypatch.context() as patched:
        patched.setattr("agent.drivers.corpus_rebuild_vector_index.run.publish", _die)
        with pytest.raises(KeyboardInterrupt):
            world.rebuild()
    assert len(files(world)) == 1
    assert searcher.recall(5) == 1.0
    world.rebuild()
    assert len(files(world)) == 2


def _die(*_: Any) -> None:
    raise KeyboardInterrupt


def test_cancel_is_heard_between_few_rows(world: KbWorld) -> None:
    context = world.context()
    context.on_progress = lambda done, _total: context.cancelled.set() if done else None
    with pytest.raises(RunCancelled):
        world.rebuild(context)
    assert context.progressed[-1][0] <= 1024
    assert [step.state for step in context.steps] == ["cancelled"]
    assert files(world) == []


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
    "other format": (lambda _, manifest: _edit(manifest, format=99), "another version"),
    "half a manifest": (lambda _, manifest: manifest.write_text('{"format": 1}'), "incomplete"),
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


def index_of(world: KbWorld) -> str:
    """What the doctor says of it."""
    from agent.resources.knowledge.file import open_for_reading

    with closing(open_for_reading(world.base)) as base:
        return index_fault(world.base, base, "wordllama", 256)


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


def test_full_disk_is_told_and_changes_nothing(world: KbWorld) -> None:
    world.rebuild()
    before = files(world)
    order = {"folder": str(world.folder), "url": world.url, "act": "rebuild", "run_id": "run-f", "parameters": {}}
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))\n"
        "from tests.contract.drivers.kb_victim import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(order)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert "DriverError: the index was not written whole, probably for want of room" in done.stderr
    assert files(world) == before
    assert index_of(world) == ""


def test_later_attempt_of_the_run_shuts_out_the_earlier(world: KbWorld) -> None:
    world.rebuild(world.context("run-1", attempt=2))
    before = files(world)
    with pytest.raises(DriverError, match="attempt 1 changes nothing any more"):
        world.rebuild(world.context("run-1", attempt=1))
    assert files(world) == before


@pytest.mark.parametrize("wrong", [{"recall_floor": 1.5}, {"recall_floor": 0}, {"sample": 3}, {"threads": 0}, {"x": 1}])
def test_wrong_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RebuildParameters.model_validate({"knowledge_base": "orders_kb", **wrong})
