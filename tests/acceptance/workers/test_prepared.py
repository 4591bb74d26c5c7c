"""An order that is prepared in an idle worker while its claim is being committed: nothing of it begins before it is said,
by the loop or, before that, by another thread."""

from __future__ import annotations

import asyncio
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


class Preparation:
    """An order of `entry` in the one worker there is."""

    def __init__(self, stage: Stage, entry: str = "nothing") -> None:
        self.order: Order = stage.order(entry)
        self.run_id = self.order.run_id
        [self.worker] = stage.executor.idle_workers()
        [process] = stage.executor.workers()
        self.pid = process.pid
        self.begun = 0
        self._stage = stage
        self._say = stage.executor.prepare(self.worker, self.order, self._note)

    def decide(self, *, begin: bool) -> bool:
        """Whether it has the worker then."""
        self._stage.executor.decide_prepared(self.worker, begin=begin)
        return self.begun == 1

    async def say(self) -> None:
        await asyncio.to_thread(self._say)

    def _note(self) -> None:
        assert self.run_id not in self._stage.endings
        assert [event for event in self._stage.events if event.run_id == self.run_id] == []
        self.begun += 1


async def test_it_begins_when_it_is_said_and_leaves_an_idle_worker(stage: Stage) -> None:
    for _ in range(20):
        prepared = Preparation(stage)
        assert prepared.decide(begin=True)
        assert stage.executor.idle_workers() == []
        await _completed(stage, prepared)


async def test_what_another_thread_said_begins_and_is_heard_of_without_a_word_of_the_loop(stage: Stage) -> None:
    for _ in range(50):
        prepared = Preparation(stage)
        await prepared.say()
        await prepared.say()
        await _completed(stage, prepared)
        assert prepared.decide(begin=True)
        assert prepared.begun == 1


async def test_what_both_say_at_once_begins_once(stage: Stage) -> None:
    for _ in range(50):
        prepared = Preparation(stage)
        saying = asyncio.ensure_future(prepared.say())
        await asyncio.sleep(0)
        assert prepared.decide(begin=True)
        await saying
        await _completed(stage, prepared)


async def test_what_was_said_cannot_be_taken_back_and_what_was_taken_back_cannot_be_said(stage: Stage) -> None:
    prepared = Preparation(stage)
    await prepared.say()
    assert prepared.decide(begin=False)
    await _completed(stage, prepared)
    forgotten = Preparation(stage)
    assert not forgotten.decide(begin=False)
    await forgotten.say()
    await stage.run("nothing")
    assert forgotten.run_id not in stage.endings


async def test_what_is_never_to_begin_does_not_and_others_do(stage: Stage) -> None:
    forgotten = Preparation(stage)
    assert not forgotten.decide(begin=False)
    assert not forgotten.decide(begin=True), "it is forgotten"
    await stage.run("nothing")
    await until(stage.executor.idle_workers)
    assert forgotten.run_id not in stage.endings
    assert [event for event in stage.events if event.run_id == forgotten.run_id] == []


async def test_a_busy_worker_takes_none_and_one_that_became_busy_begins_none(stage: Stage) -> None:
    late = Preparation(stage)
    first = await stage.give("nothing")
    with pytest.raises(RuntimeError, match="cannot be prepared"):
        stage.executor.prepare(late.worker, stage.order("nothing"), lambda: None)
    await late.say()
    assert not late.decide(begin=True)
    await stage.ending(first)
    await stage.run("nothing")
    assert late.run_id not in stage.endings


async def test_a_worker_that_has_begun_takes_no_other_order(stage: Stage) -> None:
    prepared = Preparation(stage, "obey")
    await prepared.say()
    with pytest.raises(RuntimeError, match="not idle"):
        stage.executor.execute(prepared.worker, stage.order("nothing"))
    stage.executor.cancel(prepared.run_id)
    ended = (await stage.ending(prepared.run_id)).ended
    assert ended is not None
    assert (ended.outcome, prepared.begun) == ("cancelled", 1)


async def test_a_worker_that_died_begins_nothing_and_nobody_hears_of_an_end(stage: Stage) -> None:
    prepared = Preparation(stage)
    os.kill(prepared.pid, signal.SIGKILL)
    await until(lambda: [one for one in stage.executor.idle_workers() if one != prepared.worker])
    await prepared.say()
    assert not prepared.decide(begin=True)
    assert prepared.run_id not in stage.endings


async def test_a_worker_killed_at_the_word_loses_its_run_and_says_so(stage: Stage) -> None:
    prepared = Preparation(stage)
    os.kill(prepared.pid, signal.SIGKILL)
    assert prepared.decide(begin=True), "nobody knows yet"
    assert (await stage.ending(prepared.run_id)).ended is None


async def test_a_worker_killed_after_another_thread_said_the_word_loses_its_run_and_says_so(stage: Stage) -> None:
    prepared = Preparation(stage, "obey")
    await prepared.say()
    os.kill(prepared.pid, signal.SIGKILL)
    assert (await stage.ending(prepared.run_id)).ended is None
    assert prepared.decide(begin=True)


async def test_a_cancel_right_after_the_word_ends_it(stage: Stage) -> None:
    prepared = Preparation(stage, "obey")
    assert prepared.decide(begin=True)
    stage.executor.cancel(prepared.run_id)
    ended = (await stage.ending(prepared.run_id)).ended
    assert ended is not None
    assert ended.outcome == "cancelled"


async def test_a_stop_of_the_pool_begins_nothing(stage: Stage) -> None:
    prepared = Preparation(stage)
    await stage.executor.stop(0)
    await prepared.say()
    assert not prepared.decide(begin=True)
    assert prepared.run_id not in stage.endings


async def test_a_stop_of_the_pool_waits_for_what_another_thread_has_begun(stage: Stage) -> None:
    prepared = Preparation(stage, "obey")
    await prepared.say()
    await stage.executor.stop(0)
    assert prepared.run_id in stage.endings
    assert prepared.begun == 1


async def _completed(stage: Stage, prepared: Preparation) -> None:
    ended = (await stage.ending(prepared.run_id)).ended
    assert ended is not None
    assert ended.outcome == "completed"
    assert prepared.begun == 1
    await until(stage.executor.idle_workers)
