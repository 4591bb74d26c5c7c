"""When a sign of a job is expected next: by its schedule, or by the gaps between its runs where it has none."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2s
from typing import Any, NamedTuple

from agent.core.sentinels.usual import Track
from shared.errors import InvalidInput
from shared.models.job import Dst
from shared.schedule import ScheduleSpec, compile_schedule

NextFire = Callable[[datetime], datetime | None]

LEAST_LAGS = 5
"""A schedule says when to expect a run; only how long it takes to come must be learnt."""
_REGULAR = 0.35
"""Gaps that stray more than that, on the logarithmic scale, promise nothing."""
_WORK = ("type", "data", "actions")
_RHYTHM = ("interval_type", "interval", "timezone", "start_on", "end_on")


class Expectation(NamedTuple):
    expected_at: datetime | None = None
    overdue_at: datetime | None = None


def expect_fire(expected: datetime | None, lags: Track, tolerance: float, least_runs: int) -> Expectation:
    """That fire, and what it may take to end in a run."""
    if expected is None or lags.usual is None or len(lags.values) < min(least_runs, LEAST_LAGS):
        return Expectation(expected)
    return Expectation(expected, expected + _seconds(lags.usual.stretched(tolerance).high))


def expect_arrival(gaps: Track, after: datetime, tolerance: float, least_runs: int) -> Expectation:
    """One more usual gap; nothing where gaps are irregular."""
    if gaps.usual is None or len(gaps.values) < least_runs or gaps.usual.spread > _REGULAR:
        return Expectation()
    usual = gaps.usual.stretched(tolerance)
    return Expectation(after + _seconds(usual.median), after + _seconds(usual.high))


def fires_of(definition: dict[str, Any], anchor: datetime) -> NextFire:
    """A schedule that cannot be read any more has no fires."""
    written: dict[str, Any] = {name: definition.get(name) for name in _RHYTHM}
    spec = ScheduleSpec(
        **written,
        dst=Dst.model_validate(definition["policies"].get("dst") or {}),
        anchor=anchor,
    )
    try:
        return compile_schedule(spec).next
    except InvalidInput:
        return lambda _: None


def work_print(definition: dict[str, Any]) -> str:
    """Changes when the job does something else."""
    return _print([definition.get(name) for name in _WORK])


def rhythm_print(definition: dict[str, Any]) -> str:
    """Changes when it does it at other times."""
    policies = definition["policies"]
    return _print([*(definition.get(name) for name in _RHYTHM), policies.get("dst"), policies.get("jitter")])


def _print(value: Any) -> str:
    return blake2s(json.dumps(value, sort_keys=True).encode(), digest_size=8).hexdigest()


def _seconds(count: float) -> timedelta:
    return timedelta(seconds=count)
