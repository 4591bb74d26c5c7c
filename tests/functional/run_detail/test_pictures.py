"""The run's screen as it looks, in both design sizes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from shared.models import Run
from tests.functional.run_detail.fixed import FixedApp, cancelling, failed, late
from tests.harness.operator import Operator

SIZES = [(80, 24), (160, 48)]
Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TEXTUAL_THEME"):
        monkeypatch.delenv(name, raising=False)


async def _settle(pilot: Pilot[Any]) -> None:
    operator = Operator(pilot.app, pilot)
    await operator.reads(
        "Orders into the index", "Steps", "Attempts" if pilot.app.size.width > 100 else "Steps", "6 lines"
    )
    await operator.reads("connection refused by shop:5432")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", [failed, cancelling, late])
def test_a_run(snap_compare: Compare, make: Callable[[], Run], size: tuple[int, int]) -> None:
    assert snap_compare(FixedApp(make()), terminal_size=size, run_before=_settle)


async def test_the_countdown_goes_on_by_itself() -> None:
    app = FixedApp(cancelling())
    async with app.run_test(size=(80, 24)) as pilot:
        operator = Operator(app, pilot)
        await operator.reads("TERM sent, KILL in 7 s")
        app.clock.advance(timedelta(seconds=1))
        await operator.reads("TERM sent, KILL in 6 s")
        app.clock.advance(timedelta(seconds=6))
        await operator.reads("KILL sent; cancelled once none of its processes is left")


async def test_late_is_said() -> None:
    app = FixedApp(late())
    async with app.run_test(size=(80, 24)) as pilot:
        await Operator(app, pilot).reads("late 35s", "40%")
