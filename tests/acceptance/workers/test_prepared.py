"""An order that is prepared in an idle worker while its claim is being committed: nothing of it begins before it is said."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.core.wire import Order
from tests.acceptance.workers.stage import Stage, new_stage, until


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = new_stage(tmp_path)
    await stage.executor.start(stage.on_event, stage.on_end)
    await until(stage.executor.idle_workers)
    yield stage
    await stage.executor.stop(0)


def _prepare(stage: Stage, entry: str = "nothing") -> tuple[str, Order]:
    order: Order = stage.order(entry)
    [worker] = stage.executor.idle_workers()
    stage.executor.prepare(worker, order)
    return worker, order


async def test_it_begins_when_it_is_said_and_leaves_an_idle_worker(stage: Stage) -> None:
    for _ in range(20):
        worker, order = _prepare(stage)
        assert stage.executor.decide_prepared(worker, begin=True)
        assert stage.executor.idle_workers() == []
        ended = (await stage.ending(order.run_id)).ended
        assert ended is not None
        assert ended.outcome == "completed"
        await until(stage.executor.idle_workers)


async def test_what_is_never_to_begin_does_not_and_others_do(stage: Stage) -> None:
    worker, forgotten = _prepare(stage)
    assert not stage.executor.decide_prepared(worker, begin=False)
    assert not stage.executor.decide_prepared(worker, begin=True), "it is forgotten"
    await stage.run("nothing")
    await until(stage.executor.idle_workers)
    assert forgotten.run_id not in stage.endings
    assert [event for event in stage.events if event.run_id == forgotten.run_id] == []


async def test_a_busy_worker_takes_none_and_one_that_became_busy_begins_none(stage: Stage) -> None:
    worker, late = _prepare(stage)
    first = await stage.give("nothing")
    with pytest.raises(RuntimeError, match="cannot be prepared"):
        stage.executor.prepare(worker, stage.order("nothing"))
    assert not stage.executor.decide_prepared(worker, begin=True)
    await stage.ending(first)
    await stage.run("nothing")
    assert late.run_id not in stage.endings


async def test_a_worker_that_died_begins_nothing_and_nobody_hears_of_an_end(stage: Stage) -> None:
    worker, order = _prepare(stage)
    [process] = stage.executor.workers()
    os.kill(process.pid, signal.SIGKILL)
    await until(lambda: [one for one in stage.executor.idle_workers() if one != worker])
    assert not stage.executor.decide_prepared(worker, begin=True)
    assert order.run_id not in stage.endings


async def test_a_worker_killed_at_the_word_loses_its_run_and_says_so(stage: Stage) -> None:
    worker, order = _prepare(stage)
    [process] = stage.executor.workers()
    os.kill(process.pid, signal.SIGKILL)
    assert stage.executor.decide_prepared(worker, begin=True), "nobody knows yet"
    assert (await stage.ending(order.run_id)).ended is None


async def test_a_cancel_right_after_the_word_ends_it(stage: Stage) -> None:
    worker, order = _prepare(stage, "obey")
    assert stage.executor.decide_prepared(worker, begin=True)
    stage.executor.cancel(order.run_id)
    ended = (await stage.ending(order.run_id)).ended
    assert ended is not None
    assert ended.outcome == "cancelled"


async def test_a_stop_of_the_pool_begins_nothing(stage: Stage) -> None:
    worker, order = _prepare(stage)
    await stage.executor.stop(0)
    assert not stage.executor.decide_prepared(worker, begin=True)
    assert order.run_id not in stage.endings
