"""Orders that are laid in a worker before their moment: nothing of them begins until it is said, nor ever where it is not."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.core.wire import Order, RunMessage
from agent.workers import waiting as waiting_module
from tests.acceptance.workers.stage import Stage, new_stage, until


@pytest.fixture
def returned() -> list[str]:
    return []


@pytest.fixture
async def stage(tmp_path: Path, returned: list[str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A pool of one worker; a machine that stands still for a moment calls nothing back."""
    monkeypatch.setattr(waiting_module, "PATIENCE", 60)

    def on_return(_worker_id: str, run: RunMessage) -> None:
        returned.append(run.run_id)

    stage = new_stage(tmp_path)
    await stage.executor.start(stage.on_event, stage.on_end, on_return)
    await until(stage.executor.idle_workers)
    yield stage
    await stage.executor.stop(0)


def _lay(stage: Stage, entry: str = "nothing") -> Order:
    order: Order = stage.order(entry)
    [worker] = stage.executor.workers()
    stage.executor.lay(worker.id, order)
    return order


async def _run(stage: Stage, order: Order) -> None:
    ending = await stage.ending(order.run_id)
    assert ending.ended is not None
    assert ending.ended.outcome == "completed"


async def test_they_begin_when_it_is_said_one_after_another(stage: Stage, returned: list[str]) -> None:
    laid = [_lay(stage) for _ in range(5)]
    await stage.run("nothing")
    assert len(stage.endings) == 1, "what comes meanwhile goes before them"
    stage.executor.decide_laid(begin=True)
    for order in laid:
        await _run(stage, order)
    assert [*stage.endings][1:] == [order.run_id for order in laid]
    assert returned == []
    await until(stage.executor.idle_workers)


async def test_they_begin_behind_the_run_that_the_worker_has(stage: Stage, returned: list[str]) -> None:
    first = await stage.give("obey")
    laid = [_lay(stage) for _ in range(3)]
    stage.executor.decide_laid(begin=True)
    await stage.ready(first)
    assert stage.endings == {}
    for order in laid:
        assert stage.executor._members  # the worker holds them
        stage.executor.cancel(order.run_id)
    stage.executor.cancel(first)
    await stage.ending(first)
    await until(lambda: len(stage.endings) + len(returned) == 4)
    assert {*stage.endings, *returned} == {first, *(order.run_id for order in laid)}


async def test_what_is_not_to_be_never_begins_and_may_come_again(stage: Stage, returned: list[str]) -> None:
    laid = [_lay(stage) for _ in range(5)]
    stage.executor.decide_laid(begin=False)
    stage.executor.decide_laid(begin=True)
    await stage.run("nothing")
    assert (len(stage.endings), returned) == (1, [])
    [worker] = stage.executor.workers()
    stage.executor.promise(worker.id, laid[0])
    await _run(stage, laid[0])
    await stage.run("nothing")
    assert (len(stage.endings), returned) == (3, [])


async def test_a_worker_that_dies_gives_them_back(stage: Stage, returned: list[str]) -> None:
    laid = [_lay(stage) for _ in range(3)]
    [worker] = stage.executor.workers()
    os.kill(worker.pid, signal.SIGKILL)
    await until(lambda: len(returned) == 3)
    assert returned == [order.run_id for order in laid]
    stage.executor.decide_laid(begin=True)
    await until(stage.executor.idle_workers)
    await stage.run("nothing")
    assert len(stage.endings) == 1
    assert stage.executor.workers()[0].runs_done == 1


async def test_a_worker_that_dies_after_the_word_gives_back_what_has_not_begun(
    stage: Stage, returned: list[str]
) -> None:
    laid = [_lay(stage, "obey") for _ in range(3)]
    stage.executor.decide_laid(begin=True)
    await stage.ready(laid[0].run_id)
    os.kill(stage.executor.workers()[0].pid, signal.SIGKILL)
    ending = await stage.ending(laid[0].run_id)
    assert ending.ended is None
    assert returned == [order.run_id for order in laid[1:]]


async def test_what_ends_the_run_before_them_has_them_given_back(stage: Stage, returned: list[str]) -> None:
    """TERM and KILL that are meant for it must not meet the next."""
    first = await stage.give("obey")
    await stage.ready(first)
    laid = [_lay(stage) for _ in range(3)]
    stage.executor.cancel(first)
    stage.executor.decide_laid(begin=True)
    await stage.ending(first)
    await until(lambda: len(returned) == 3)
    assert sorted(returned) == sorted(order.run_id for order in laid)
    assert stage.endings.keys() == {first}
    await until(stage.executor.idle_workers)


async def test_whatever_is_said_at_every_moment_each_begins_once_or_never(stage: Stage, returned: list[str]) -> None:
    begun, forgotten = [], []
    for number in range(60):
        laid = [_lay(stage).run_id for _ in range(4)]
        if number % 4 == 3:
            await asyncio.sleep(0.001)
        (begun if number % 3 else forgotten).extend(laid)
        stage.executor.decide_laid(begin=bool(number % 3))
    await until(lambda: len(stage.endings) == len(begun))
    assert [*stage.endings] == begun
    assert returned == []
    assert set(forgotten).isdisjoint(stage.endings)
    await until(stage.executor.idle_workers)


async def test_a_pool_that_stops_begins_none_of_them(stage: Stage, returned: list[str]) -> None:
    laid = [_lay(stage) for _ in range(3)]
    await stage.executor.stop(0)
    assert stage.endings == {}
    assert sorted(returned) == sorted(order.run_id for order in laid)
