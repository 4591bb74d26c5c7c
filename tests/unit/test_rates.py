"""How often one may ask: each caller has a bucket, and however many callers there are, the memory for them is bounded."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.api.rates import MOST_BUCKETS, Rates
from shared.clock import ManualClock
from shared.errors import TooMany
from tests.harness.agent import NOW


def test_who_asks_too_often_waits_as_long_as_it_is_told() -> None:
    clock = ManualClock(NOW)
    rates = Rates(clock, 60)
    for _ in range(60):
        rates.take("ci")
    with pytest.raises(TooMany) as refused:
        rates.take("ci")
    assert refused.value.retry_after == pytest.approx(1)
    rates.take("other")
    assert (rates.allowance("ci").left, rates.allowance("other").left, rates.allowance(None).left) == (0, 59, 60)
    clock.advance(timedelta(seconds=1))
    rates.take("ci")
    assert rates.allowance("ci").full_in == pytest.approx(60)


def test_of_very_many_callers_those_who_ask_on_are_remembered() -> None:
    rates = Rates(ManualClock(NOW), 3)
    for number in range(5 * MOST_BUCKETS):
        rates.take(f"caller {number}")
        if number % 100 == 0:
            try:
                rates.take("eager")
            except TooMany:
                continue
    with pytest.raises(TooMany):
        rates.take("eager")
    assert len(rates._buckets) == MOST_BUCKETS
