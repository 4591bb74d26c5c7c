"""Whatever is asked of the store, in whatever order and by whom: what it promises is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from agent.core.records import Fence
from agent.store import open_store
from agent.store.runs import claims, leases, outcomes, updates
from agent.store.tables import HELD, runs
from shared.clock import ManualClock
from shared.errors import IllegalMove
from shared.ids import new_id
from tests.contract.store.making import Maker, completed, retrying
from tests.harness.long import size
from tests.property.store.machine import AnyOrder
from tests.property.store.stage import NOON

EXAMPLES = size(500, full=3_000)
STEPS = size(60, full=80)


@pytest.fixture
async def empty_store(tmp_path: Path) -> AsyncIterator[None]:
    path = tmp_path / "template.db"
    await (await open_store(path, clock=ManualClock(NOON), new_id=new_id)).close()
    AnyOrder.template = path
    yield
    del AnyOrder.template


@pytest.mark.usefixtures("empty_store")
def test_a_short_time_of_any_order() -> None:
    _try(15, 30)


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


@pytest.mark.soak
@pytest.mark.usefixtures("empty_store")
@pytest.mark.parametrize("broken", ["fence", "limit", "evidence"])
def test_a_store_that_breaks_a_promise_is_found_out(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if broken == "fence":
        for module in (outcomes, updates):
            monkeypatch.setattr(module, "holders", _whoever_asks)
    elif broken == "limit":
        monkeypatch.setattr(claims, "_has_place", lambda _row, _running: True)
    else:
        monkeypatch.setattr(outcomes, "_keep_evidence", lambda *_: None)
    with pytest.raises((AssertionError, IllegalMove)):
        _try(1_000, 40, phases=[Phase.generate])


_holders = leases.holders


def _whoever_asks(connection: sa.Connection, fences: Iterable[Fence]) -> dict[Fence, sa.RowMapping]:
    """As if attempt and worker were never looked at."""
    held = connection.execute(sa.select(runs.c.id, runs.c.attempt, runs.c.worker_id).where(HELD))
    true = {run_id: Fence(run_id, attempt, worker_id) for run_id, attempt, worker_id in held}
    wanted = [fence for fence in fences if fence.run_id in true]
    found = _holders(connection, list(true.values()))
    return {fence: found[true[fence.run_id]] for fence in wanted}


def _try(examples: int, steps: int, phases: Iterable[Phase] = tuple(Phase)) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        AnyOrder,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            phases=phases,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
