"""How fast runs are caught up, all jobs together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent.core.scheduling.pace import Pace
from shared.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 2, tzinfo=UTC))


def pass_time(clock: ManualClock, seconds: float) -> None:
    clock.advance(timedelta(seconds=seconds))


def test_a_place_comes_as_often_as_the_rate_says_and_no_sooner(clock: ManualClock) -> None:
    pace = Pace(clock, 60)
    pass_time(clock, 10)
    assert (pace.take(5), pace.take(5)) == (1, 0)
    assert pace.wait() == pytest.approx(1, abs=0.11)
    pass_time(clock, 0.5)
    assert pace.take(5) == 0
    pass_time(clock, 0.5)
    assert pace.take(5) == 1


def test_at_high_rates_one_look_takes_the_places_of_a_tenth_of_a_second(clock: ManualClock) -> None:
    pace = Pace(clock, 6000)
    pass_time(clock, 10)
    pace.take(1000)
    pass_time(clock, 1)
    assert pace.take(1000) in {10, 11}
    assert pace.take(0) == 0


def test_places_that_nobody_took_are_gone(clock: ManualClock) -> None:
    pace = Pace(clock, 600)
    pace.take(1)
    pass_time(clock, 3600)
    assert pace.take(1000) <= 2


def test_who_reserves_gets_the_next_free_place(clock: ManualClock) -> None:
    pace = Pace(clock, 60)
    assert [pace.reserve() for _ in range(3)] == [0, 1, 2]
    assert pace.take(1) == 0
    pass_time(clock, 1)
    assert pace.reserve() == 2
