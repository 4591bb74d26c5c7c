"""Whatever is asked of the store, in whatever order and by whom: what it promises is kept.

`JOBDECK_ANY_ORDER_EXAMPLES` and `JOBDECK_ANY_ORDER_STEPS` set the long one (`make soak`).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from agent.store import open_store
from shared.clock import ManualClock
from shared.ids import new_id
from tests.contract.store.making import Maker, completed, retrying
from tests.property.store.machine import AnyOrder
from tests.property.store.stage import NOON

EXAMPLES = int(os.environ.get("JOBDECK_ANY_ORDER_EXAMPLES", "3000"))
STEPS = int(os.environ.get("JOBDECK_ANY_ORDER_STEPS", "80"))


@pytest.fixture
async def empty_store(tmp_path: Path) -> AsyncIterator[None]:
    path = tmp_path / "template.db"
    await (await open_store(path, clock=ManualClock(NOON), new_id=new_id)).close()
    AnyOrder.template = path
    yield
    del AnyOrder.template


@pytest.mark.usefixtures("empty_store")
def test_a_short_time_of_any_order() -> None:
    _try(30, 40)


@pytest.mark.soak
@pytest.mark.usefixtures("empty_store")
def test_a_long_time_of_any_order() -> None:
    _try(EXAMPLES, STEPS)


async def test_of_two_ends_of_one_attempt_the_first_counts(tmp_path: Path) -> None:
    """Also where the second would be a further attempt that nobody wants: it once spoilt the first."""
    store = await open_store(tmp_path / "store.db", clock=ManualClock(NOON), new_id=new_id)
    await store.ensure_account("main", "anna-id", "anna", NOON)
    make = Maker(store)
    claimed = await make.claimed(await make.job())
    await store.request_cancel([claimed.run.id], "anna", None, NOON)
    [run] = await store.finish([completed(claimed), retrying(claimed, NOON)], NOON)
    assert run.state == "completed"
    await store.close()


def _try(examples: int, steps: int) -> None:
    unhurried = list(HealthCheck)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        AnyOrder,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=unhurried,
        ),
    )
