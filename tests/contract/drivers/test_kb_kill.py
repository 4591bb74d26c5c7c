"""kill -9 at any moment: the next attempt leaves the knowledge base exactly as the source is."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.drivers.kb_world import KbWorld, later, world_on

ROWS = 240


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KbWorld]:
    with world_on(request.param, tmp_path, request) as world:
        world.create_orders()
        for second in range(0, ROWS, 30):
            world.add(*range(second, second + 30), at=later(second // 60), text=f"text of {second}")
        yield world


def start(world: KbWorld, act: str, run_id: str, **parameters: Any) -> subprocess.Popen[str]:
    order = {"folder": str(world.folder), "url": world.url, "act": act, "run_id": run_id, "parameters": parameters}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.contract.drivers.kb_victim", json.dumps(order)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def kill_after(victim: subprocess.Popen[str], lines: int, pause: float) -> bool:
    """Kill it once it said so many lines, and a little later: anywhere within a batch. True if it was still at work."""
    assert victim.stdout is not None
    for _ in range(lines):
        if not victim.stdout.readline():
            break
    try:
        victim.wait(pause)
    except subprocess.TimeoutExpired:
        victim.kill()
    victim.stdout.close()
    return victim.wait() == -signal.SIGKILL


@pytest.mark.parametrize("seed", range(2))
def test_killed_sync_resumes_to_exactly_the_source(world: KbWorld, seed: int) -> None:
    chance = random.Random(seed)
    for turn in range(2):
        victim = start(world, "sync", f"run-{turn}", batch_size=7)
        assert kill_after(victim, chance.randint(1, 12), chance.uniform(0, 0.02))
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
        assert kill_after(victim, chance.randint(1, 12), 0.01)
    world.sync(world.context("run-k"), batch_size=7, compare="full")
    assert world.texts() == world.source_texts()


def test_killed_reset_keeps_the_old_content_and_its_retry_swaps(world: KbWorld) -> None:
    world.sync()
    old = world.texts()
    chance = random.Random(1)
    world.delete(*chance.sample(range(ROWS), 30))
    victim = start(world, "reset", "run-k", batch_size=7)
    assert kill_after(victim, chance.randint(1, 12), chance.uniform(0, 0.02))
    assert world.texts() == old
    world.reset(world.context("run-k", attempt=2), batch_size=7)
    assert world.texts() == world.source_texts()
    assert world.query("SELECT count(*) FROM shares") == [(1,)]


def test_second_writer_waits_says_for_whom_and_goes_on_when_the_first_is_killed(world: KbWorld) -> None:
    if world.kind == "postgresql":
        pytest.skip("the lock lies in the knowledge base; the source is all one to it")
    first = start(world, "sync", "run-first", batch_size=1)
    assert first.stdout is not None
    while first.stdout.readline().strip() != "3":
        assert first.poll() is None
    first.send_signal(signal.SIGSTOP)
    second = start(world, "sync", "run-second", batch_size=50)
    assert second.stdout is not None
    said = second.stdout.readline()
    assert "waiting: job 'Job under test' (run run-first, process " in said
    assert "writes to knowledge base 'orders_kb'" in said
    first.kill()
    rest = second.stdout.read()
    assert second.wait() == 0
    assert "result" in rest
    first.wait()
    first.stdout.close()
    second.stdout.close()
    assert world.texts() == world.source_texts()
