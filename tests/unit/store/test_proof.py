"""That the store takes no writes is told to all who ask, tried once a second."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from agent.store.engine.health import Health
from agent.store.engine.proof import Proof
from shared.clock import ManualClock
from shared.errors import Unavailable
from tests.contract.store.making import NOW


async def test_a_refusal_stands_for_a_second_and_nothing_that_was_written_before_hides_it() -> None:
    clock = ManualClock(NOW)
    health, tried = Health(clock), list[asyncio.Future[None]]()

    def write() -> asyncio.Future[None]:
        tried.append(asyncio.get_running_loop().create_future())
        return tried[-1]

    proof = Proof(health, clock, write)
    health.heed([None], stored=True)
    await proof.ask()
    health.heed([Unavailable("full")], stored=False)
    asked = [asyncio.ensure_future(proof.ask()) for _ in range(20)]
    await asyncio.sleep(0)
    asked[0].cancel()
    tried[0].set_exception(Unavailable("full"))
    assert all(isinstance(each, Unavailable) for each in (await asyncio.gather(*asked, return_exceptions=True))[1:])
    for _ in range(3):
        with pytest.raises(Unavailable, match="full"):
            await proof.ask()
    assert len(tried) == 1
    clock.advance(timedelta(seconds=1))
    again = asyncio.ensure_future(proof.ask())
    await asyncio.sleep(0)
    assert health.ends()
    health.heed([None], stored=False)
    tried[1].set_result(None)
    await again


async def test_a_small_write_that_finds_its_place_on_a_full_disk_ends_nothing() -> None:
    is_empty = [False]
    health = Health(ManualClock(NOW), lambda: is_empty[0])
    health.heed([Unavailable("full")], stored=False)

    def write() -> asyncio.Future[None]:
        taken = asyncio.get_running_loop().create_future()
        health.ends()
        health.heed([None], stored=True)
        taken.set_result(None)
        return taken

    with pytest.raises(Unavailable, match="full"):
        await Proof(health, ManualClock(NOW), write).ask()
    is_empty[0] = True
    await Proof(health, ManualClock(NOW), write).ask()
    assert health.trouble is None
