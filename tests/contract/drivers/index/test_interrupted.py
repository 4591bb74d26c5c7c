"""A rebuild that is killed, cancelled, waited for or out of room changes nothing, and searches go on."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.core.driving import DriverError, RunCancelled
from tests.contract.drivers.index.searching import CONTENT, Searcher, files, index_of
from tests.contract.drivers.kb_victim import start
from tests.contract.drivers.kb_world import KbWorld, later
from tests.harness.victim import Victim


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
    syncing: list[Victim] = []

    def begin(done: int, _total: int | None) -> None:
        if done and not syncing:
            syncing.append(start(world, "sync", "run-sync", **CONTENT))
            assert "waiting: job 'Job under test' (run run-build" in syncing[0].said.readline()

    context.on_progress = begin
    world.rebuild(context)
    (sync,) = syncing
    assert "result" in sync.said.read()
    assert sync.end() == 0
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
        victim.killed_after(chance.randint(1, 4), chance.uniform(0, 0.1))
        done = "run-" + str(turn) in "".join(files(world))
        assert done or _finished(world) == before
        assert searcher.recall(5) >= 0.9
        before = _finished(world)
    world.rebuild(world.context("run-1", attempt=2))
    assert len(files(world)) == 2
    assert index_of(world) == ""
    assert searcher.recall() >= 0.95


def _finished(world: KbWorld) -> list[str]:
    """The next build clears away what a killed one was at."""
    return [name for name in files(world) if not name.startswith(("aside-", "index.json."))]


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
        cwd=Path(__file__).parents[4],
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
