"""Two agents on one file at the very same moment, each through its own connection: some order must explain it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.store import open_store
from shared.clock import ManualClock
from shared.ids import new_id
from tests.property.store.agents import WORKERS
from tests.property.store.machine import AnyOrder
from tests.property.store.stage import NOON, together

ROUNDS = 40
_ENDS = ("completed", "failed", "cancelled", "retrying")


@pytest.fixture
async def template(tmp_path: Path) -> AsyncIterator[None]:
    AnyOrder.template = tmp_path / "template.db"
    await (await open_store(AnyOrder.template, clock=ManualClock(NOON), new_id=new_id)).close()
    yield
    del AnyOrder.template


@pytest.mark.usefixtures("template")
def test_claims_ends_and_cancels_of_two_agents_at_once() -> None:
    """Whoever comes first: no run has two holders, an attempt ends once, a key is never exceeded."""
    rng, world = random.Random(7), AnyOrder()
    try:
        world.begin(
            jobs=[("two", 0, None), ("one", 0, None), (None, 1, None)], runs=[(0, False), (1, True), (2, False)]
        )
        for _ in range(ROUNDS):
            _round(world, rng)
        assert len(world.fences) > ROUNDS / 2
        assert world.rows.late_results()
    finally:
        world.teardown()


def _round(world: AnyOrder, rng: random.Random) -> None:
    world.ask_for_runs(which=rng.randrange(3), count=2, chained=rng.random() < 0.5, wait=0, by=rng.randrange(2))
    world.keep_running(rng.randrange(2))
    fence, asked = rng.choice(world.fences[-4:]), world.some_runs([rng.randrange(6)])[0]["id"]
    held = world.holds(fence)
    one, other = rng.sample(world.agents, 2)
    outcomes = [world.outcome(fence, rng.choice(_ENDS)) for _ in range(2)]
    first, second, _, *moved = world.do(
        together(
            world.claims(one, WORKERS),
            world.claims(other, WORKERS),
            other.store.request_cancel([asked], "anna", None, world.now),
            *(agent.store.finish([outcome], world.now) for agent, outcome in zip((one, other), outcomes, strict=True)),
        )
    )
    assert not {each.run.id for each in first} & {each.run.id for each in second}, "claimed by both"
    assert sum(map(len, moved)) == held
    world.forget([fence])
    world.every_promise_is_kept()
