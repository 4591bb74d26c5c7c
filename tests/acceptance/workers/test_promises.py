"""Orders that wait in a worker behind its run: each begins once, or is given back and never begins."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agent.core.wire import Order, RunMessage, Started
from agent.workers import waiting as waiting_module
from tests.acceptance.workers.stage import Stage, new_stage, pids_in, until
from tests.harness.telling import PATIENCE


@pytest.fixture
def returned() -> list[str]:
    return []


@pytest.fixture
async def stage(tmp_path: Path, returned: list[str]) -> AsyncIterator[Stage]:
    """A pool of one worker that gives back what waits too long."""

    def on_return(_worker_id: str, run: RunMessage) -> None:
        returned.append(run.run_id)

    stage = new_stage(tmp_path)
    await stage.executor.start(stage.on_event, stage.on_end, on_return)
    yield stage
    await stage.executor.stop(0)


def _promise(stage: Stage, entry: str, data: dict[str, Any] | None = None, **fields: Any) -> str:
    order: Order = stage.order(entry, data, **fields)
    [worker] = stage.executor.workers()
    stage.executor.promise(worker.id, order)
    return order.run_id


def _began(stage: Stage, run: str) -> datetime:
    """A short run says so by its end; one that the machine held up has said so before."""
    ended = stage.endings[run].ended
    assert ended is not None
    if ended.began is not None:
        return ended.began
    [started] = stage.of(run, Started)
    return started.at  # type: ignore[no-any-return]


async def test_they_run_one_after_another_in_their_order(
    stage: Stage, returned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_module, "PATIENCE", 60)  # a machine that stands still for a moment calls none back
    await until(stage.executor.idle_workers)
    runs = [_promise(stage, "nothing") for _ in range(10)]
    for run in runs:
        ending = await stage.ending(run)
        assert ending.ended is not None
        assert ending.ended.outcome == "completed"
    starts = sorted((_began(stage, run), run) for run in runs)
    assert ([run for _, run in starts], returned) == (runs, [])
    await until(stage.executor.idle_workers)
    assert stage.executor.workers()[0].runs_done == 10


async def test_what_waits_too_long_is_given_back_and_never_begins(stage: Stage, returned: list[str]) -> None:
    long = await stage.give("obey")
    waiting = [_promise(stage, "nothing") for _ in range(3)]
    await until(lambda: len(returned) == 3)
    assert returned == waiting
    await until(lambda: not stage.executor.places_ahead(16))
    stage.executor.cancel(long)
    await stage.ending(long)
    await stage.run("nothing")
    assert stage.endings.keys().isdisjoint(waiting)


async def test_what_is_given_back_after_the_run_before_it_has_ended_is_given_back(
    stage: Stage, returned: list[str]
) -> None:
    """The worker may say that a run is over between taking the next one to give it back, and saying so."""
    first = await stage.give("end_within_a_return")
    waiting = [_promise(stage, "nothing") for _ in range(3)]
    assert (await stage.ending(first)).ended is not None
    await until(lambda: len(returned) + len(stage.endings) == 4)
    assert returned[0] == waiting[0]
    assert sorted([*returned, *stage.endings]) == sorted([first, *waiting])
    await until(stage.executor.idle_workers)


async def test_whatever_is_called_back_at_every_moment_each_begins_or_is_given_back(
    stage: Stage, returned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_module, "PATIENCE", 0.0005)
    await until(stage.executor.idle_workers)
    given: list[str] = []

    def still_waiting() -> int:
        return len(given) - len(returned) - len(stage.endings)

    while len(given) < 600:
        given.extend(_promise(stage, "nothing") for _ in range(12))
        await until(lambda: still_waiting() < 6)
    await until(lambda: not still_waiting())
    assert sorted([*returned, *stage.endings]) == sorted(given)
    assert returned
    await until(stage.executor.idle_workers)


async def test_one_that_waits_is_cancelled_without_beginning(stage: Stage, returned: list[str]) -> None:
    await until(stage.executor.idle_workers)
    first, second = _promise(stage, "obey"), _promise(stage, "obey")
    stage.executor.cancel(second)
    await until(lambda: second in returned or second in stage.endings)
    stage.executor.cancel(first)
    ending = await stage.ending(first)
    assert ending.ended is not None
    assert ending.ended.outcome == "cancelled"
    assert "ready" not in stage.log(second)


async def test_the_kill_of_one_run_does_not_meet_the_next(stage: Stage, returned: list[str]) -> None:
    pids = stage.folder / "pids"
    stubborn = await stage.give("stubborn", {"pids": str(pids)}, kill_grace=0.2)
    behind = [_promise(stage, "nothing") for _ in range(2)]
    await until(lambda: pids_in(pids, 1))
    stage.executor.cancel(stubborn)
    assert (await stage.ending(stubborn)).ended is not None
    await until(lambda: returned == behind)


async def test_of_a_worker_that_dies_all_that_waited_are_given_back(stage: Stage, returned: list[str]) -> None:
    long = await stage.give("obey")
    await stage.ready(long)
    os.kill(stage.executor.workers()[0].pid, signal.SIGSTOP)  # so that nothing is given back on its own
    waiting = [_promise(stage, "nothing") for _ in range(3)]
    os.kill(stage.executor.workers()[0].pid, signal.SIGKILL)
    ending = await stage.ending(long)
    assert (ending.ended, returned) == (None, waiting)


async def test_nothing_begins_in_a_worker_whose_driver_left_threads(stage: Stage, returned: list[str]) -> None:
    await until(stage.executor.idle_workers)
    first, second = _promise(stage, "leave_thread"), _promise(stage, "nothing")
    assert (await stage.ending(first)).ended is not None
    await until(lambda: returned == [second])
    assert second not in stage.endings


async def test_an_agent_that_stops_gets_all_back(stage: Stage, returned: list[str]) -> None:
    long = await stage.give("obey")
    await stage.ready(long)
    waiting = [_promise(stage, "nothing") for _ in range(3)]
    await stage.executor.stop(0)
    assert (stage.endings[long].ended, returned) == (None, waiting)


async def test_a_timeout_counts_from_when_it_begins(stage: Stage, returned: list[str]) -> None:
    await until(stage.executor.idle_workers)
    first, second = _promise(stage, "nothing"), _promise(stage, "obey", timeout=0.5)
    await stage.ending(first)
    ended = (await stage.ending(second)).ended
    assert ended is not None
    assert ended.error is not None
    assert ended.error.kind == "timeout"
    assert returned == []


async def test_places_stand_side_by_side(tmp_path: Path) -> None:
    stage = new_stage(tmp_path, size=3)
    await stage.executor.start(stage.on_event, stage.on_end)
    await until(lambda: len(stage.executor.idle_workers()) == 3)
    places = stage.executor.places_ahead(16)
    assert len(set(places[:3])) == len(set(places[3:6])) == 3
    assert len(places) > 6
    await asyncio.wait_for(stage.executor.stop(1), PATIENCE)
    assert stage.executor.places_ahead(16) == []
