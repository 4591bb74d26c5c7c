"""What a background duty does while what it needs is not there."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from structlog.testing import capture_logs

from agent.services import poller
from agent.services.poller import Poller
from shared.errors import Unavailable
from tests.harness.telling import PATIENCE


class Trying(Poller):
    """Fails as often as it is told to, then says that it did not."""

    def __init__(self, *failures: Exception) -> None:
        super().__init__()
        self._failures_left = list(failures)
        self.done = asyncio.Event()

    async def poll(self) -> float:
        if self._failures_left:
            raise self._failures_left.pop(0)
        self.done.set()
        return 3600.0


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "_FIRST_PAUSE", 0.0)


async def _until_it_works(duty: Trying) -> Counter[tuple[str, str | None]]:
    """What was told meanwhile, and how often."""
    with capture_logs() as told:
        duty.start()
        await asyncio.wait_for(duty.done.wait(), PATIENCE)
        await asyncio.sleep(0)
        assert duty.failing is None
        await duty.stop()
    return Counter((entry["event"], entry.get("error")) for entry in told)


async def test_a_failure_that_lasts_is_told_now_and_then_and_so_is_its_end() -> None:
    duty = Trying(*[Unavailable("the disk is full")] * 24)
    assert await _until_it_works(duty) == {("duty_failed", "the disk is full"): 2, ("duty_works_again", None): 1}


async def test_another_failure_is_told_at_once() -> None:
    duty = Trying(Unavailable("the disk is full"), Unavailable("the disk is full"), RuntimeError("a defect"))
    assert await _until_it_works(duty) == {
        ("duty_failed", "the disk is full"): 1,
        ("duty_failed", "a defect"): 1,
        ("duty_works_again", None): 1,
    }


async def test_only_a_defect_is_told_with_where_it_was() -> None:
    with capture_logs() as told:
        duty = Trying(Unavailable("the disk is full"), RuntimeError("a defect"))
        duty.start()
        await asyncio.wait_for(duty.done.wait(), PATIENCE)
        await duty.stop()
    assert [bool(entry.get("exc_info")) for entry in told if entry["event"] == "duty_failed"] == [False, True]


async def test_a_wake_up_in_the_moment_of_the_stop_keeps_nothing_going() -> None:
    duty = Trying()
    duty.start()
    await asyncio.wait_for(duty.done.wait(), PATIENCE)
    await asyncio.sleep(0)
    duty.wake()
    await asyncio.wait_for(duty.stop(), PATIENCE)
