"""The contract of kb-reset: new content is made aside, and swapped in at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.driving import DriverError, RunCancelled
from tests.contract.drivers.kb_world import KbWorld, later, world_on


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KbWorld]:
    with world_on(request.param, tmp_path, request) as world:
        world.create_orders()
        world.add(*range(1, 11))
        world.sync()
        yield world


def test_old_content_stays_searchable_until_the_swap(world: KbWorld) -> None:
    old = world.texts()
    world.delete(1, 2)
    world.change(3, text="silently changed")
    context = world.context()
    seen: list[dict[str, str]] = []
    context.on_progress = lambda _done, _total: seen.append(world.texts())
    result = world.reset(context, batch_size=3)
    assert len(seen) == 4
    assert all(texts == old for texts in seen)
    assert world.texts() == world.source_texts()
    assert result["rows_synced"] == result["embedded"] == 8
    assert [step.key for step in context.steps] == ["inspect", "read", "swap"]


def test_swap_is_one_generation_and_leaves_no_remains(world: KbWorld) -> None:
    world.reset()
    assert world.query("SELECT value FROM meta WHERE name = 'generation'") == [(2,)]
    assert world.query("SELECT state, row_count FROM shares") == [("live", 10)]
    assert world.query("SELECT count(*) FROM rows") == [(10,)]


def test_sync_goes_on_from_the_new_content(world: KbWorld) -> None:
    world.reset()
    world.embedded.clear()
    world.add(11, at=later(60))
    assert world.sync()["rows_synced"] == 1
    assert world.embedded == ["product 11\nblue shoes"]


def test_retried_reset_goes_on_with_its_half_built_content(world: KbWorld) -> None:
    world.embedded.clear()
    context = world.context("run-r")
    context.on_progress = lambda done, _total: context.cancelled.set() if done >= 6 else None
    with pytest.raises(RunCancelled):
        world.reset(context, batch_size=3)
    result = world.reset(world.context("run-r", attempt=2), batch_size=3)
    assert result["embedded"] == 10
    assert len(world.embedded) <= 10 + 3
    assert world.texts() == world.source_texts()


def test_another_reset_does_not_take_over_what_a_cancelled_one_left(world: KbWorld) -> None:
    context = world.context()
    context.on_progress = lambda done, _total: context.cancelled.set() if done >= 6 else None
    with pytest.raises(RunCancelled):
        world.reset(context, batch_size=3)
    world.delete(1)
    world.reset(batch_size=3)
    assert world.texts() == world.source_texts()
    assert world.query("SELECT count(*) FROM shares") == [(1,)]


def test_sync_between_the_attempts_of_a_reset_does_no_harm(world: KbWorld) -> None:
    context = world.context("run-r")
    context.on_progress = lambda done, _total: context.cancelled.set() if done >= 6 else None
    with pytest.raises(RunCancelled):
        world.reset(context, batch_size=3)
    world.add(11, at=later(60))
    world.change(1, text="moved", at=later(61))
    world.sync()
    assert world.texts() == world.source_texts()
    world.reset(world.context("run-r", attempt=2), batch_size=3)
    assert world.texts() == world.source_texts()


def test_failed_reset_changes_nothing(world: KbWorld) -> None:
    before = world.texts()
    context = world.context()

    def drop(done: int, _total: int | None) -> None:
        if done == 3:
            world.execute("DROP TABLE orders")

    context.on_progress = drop
    with pytest.raises(DriverError) as refused:
        world.reset(context, batch_size=3)
    assert (refused.value.kind, refused.value.transient) == ("unknown_table", False)
    assert world.texts() == before


def test_refresh_reads_every_row_again_into_the_same_content(world: KbWorld) -> None:
    world.change(3, text="silently changed")
    world.delete(5)
    world.embedded.clear()
    result = world.reset(mode="refresh")
    assert (result["rows_seen"], result["rows_synced"]) == (9, 1)
    assert world.embedded == ["product 3\nsilently changed"]
    assert "5" in world.texts()


def test_clear_empties_and_a_sync_brings_all_in_again(world: KbWorld) -> None:
    assert world.reset(mode="clear")["rows_deleted"] == 10
    assert world.texts() == {}
    assert world.sync()["rows_synced"] == 10
    assert world.texts() == world.source_texts()
