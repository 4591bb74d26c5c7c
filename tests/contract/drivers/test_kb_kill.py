"""kill -9 at any moment: the next attempt leaves the knowledge base exactly as the source is."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.drivers.kb_victim import start
from tests.contract.drivers.kb_world import KbWorld, later, world_on

ROWS = 240


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KbWorld]:
    with world_on(request.param, tmp_path, request) as world:
        world.create_orders()
        for second in range(0, ROWS, 30):
            world.add(*range(second, second + 30), at=later(second // 60), text=f"text of {second}")
        yield world


@pytest.mark.parametrize("seed", range(2))
def test_killed_sync_resumes_to_exactly_the_source(world: KbWorld, seed: int) -> None:
    chance = random.Random(seed)
    for turn in range(2):
        victim = start(world, "sync", f"run-{turn}", batch_size=7)
        assert victim.killed_after(chance.randint(1, 12), chance.uniform(0, 0.02))
        some = chance.sample(range(ROWS), 20)
        for id_ in some[:10]:
            world.change(id_, text=f"turn {turn}", at=later(1000 + turn * 600 + id_))
        world.add(*(1000 + turn * 100 + number for number in range(5)), at=later(1000 + turn * 600))
    result = world.sync(batch_size=7)
    assert world.texts() == world.source_texts()
    assert result["rows_synced"] <= ROWS + 20
    world.embedded.clear()
    world.sync()
    assert world.embedded == []


def test_killed_full_comparison_resumes_to_exactly_the_source(world: KbWorld) -> None:
    world.sync()
    chance = random.Random(5)
    for id_ in chance.sample(range(ROWS), 40):
        world.change(id_, text="silently changed")
    world.delete(*chance.sample(range(ROWS), 30))
    for _ in range(2):
        victim = start(world, "sync", "run-k", batch_size=7, compare="full")
        assert victim.killed_after(chance.randint(1, 12), 0.01)
    world.sync(world.context("run-k"), batch_size=7, compare="full")
    assert world.texts() == world.source_texts()


def test_killed_reset_keeps_the_old_content_and_its_retry_swaps(world: KbWorld) -> None:
    world.sync()
    old = world.texts()
    chance = random.Random(1)
    world.delete(*chance.sample(range(ROWS), 30))
    victim = start(world, "reset", "run-k", batch_size=7)
    assert victim.killed_after(chance.randint(1, 12), chance.uniform(0, 0.02))
    assert world.texts() == old
    world.reset(world.context("run-k", attempt=2), batch_size=7)
    assert world.texts() == world.source_texts()
    assert world.query("SELECT count(*) FROM shares") == [(1,)]


def test_second_writer_waits_says_for_whom_and_goes_on_when_the_first_is_killed(world: KbWorld) -> None:
    if world.kind == "postgresql":
        pytest.skip("the lock lies in the knowledge base; the source is all one to it")
    first = start(world, "sync", "run-first", batch_size=1)
    while first.said.readline().strip() != "3":
        assert first.process.poll() is None
    first.process.send_signal(signal.SIGSTOP)
    second = start(world, "sync", "run-second", batch_size=50)
    said = second.said.readline()
    assert "waiting: job 'Job under test' (run run-first, process " in said
    assert "writes to knowledge base 'orders_kb'" in said
    first.process.kill()
    assert first.end() == -signal.SIGKILL
    assert "result" in second.said.read()
    assert second.end() == 0
    assert world.texts() == world.source_texts()
