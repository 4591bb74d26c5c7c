"""Steady jobs are left in peace, over two thousand runs each (ten thousand in `make soak`); what is unlike them is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.property.sentinels.worlds import OneJob, runs_of

many = pytest.mark.parametrize("runs", [2_000, pytest.param(10_000, marks=pytest.mark.soak)])
Draw = Callable[[random.Random], float]

STEADY: dict[str, Draw] = {
    "within 10 %": lambda drawn: drawn.gauss(120, 12),
    "within a half": lambda drawn: drawn.uniform(60, 180),
    "skewed": lambda drawn: 120 * drawn.lognormvariate(0, 0.3),
    "a fixed part and a random one": lambda drawn: 80 + drawn.expovariate(1 / 40),
    "of a moment": lambda drawn: drawn.lognormvariate(0, 0.5),
}


@many
@pytest.mark.parametrize("shape", STEADY)
def test_regular_jitter_opens_nothing(shape: str, runs: int) -> None:
    drawn, job = random.Random(f"steady {shape}"), OneJob()
    seconds = [max(0.0, STEADY[shape](drawn)) for _ in range(runs)]
    lags = [abs(drawn.gauss(5, 3)) for _ in range(runs)]
    for run in runs_of(seconds, lags=lags):
        job.look(run.ended_at, run)
    assert job.told == []


@many
def test_a_failure_in_a_hundred_is_no_flapping(runs: int) -> None:
    drawn, job = random.Random(1), OneJob()
    outcomes = "".join("F" if drawn.random() < 0.01 else "S" for _ in range(runs))
    for run in runs_of([60.0] * runs, outcomes):
        job.look(run.ended_at, run)
    assert job.told == []


@pytest.mark.parametrize("shape", ["within 10 %", "within a half", "skewed"])
def test_what_takes_ten_times_as_long_or_a_twentieth_is_seen_each_time(shape: str) -> None:
    drawn, missed = random.Random(f"unlike {shape}"), 0
    for factor, kind in ((10.0, "too_slow"), (0.05, "too_fast")):
        for _ in range(20):
            job = OneJob()
            seconds = [max(0.0, STEADY[shape](drawn)) for _ in range(40)]
            for run in runs_of([*seconds, 120 * factor]):
                job.look(run.ended_at, run)
            missed += job.told != [f"opened {kind}"]
    assert missed == 0


def test_silence_is_seen_when_it_is_longer_than_ever() -> None:
    drawn, job = random.Random(2), OneJob()
    for run in runs_of([drawn.uniform(60, 180) for _ in range(100)]):
        job.look(run.ended_at, run)
    last = run.ended_at
    for minutes in range(1, 60):
        job.look(last + timedelta(minutes=minutes))
    assert job.told == ["opened overdue"]
