"""What holds of the rules whatever a job has been through."""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.core.sentinels.flapping import judge_outcomes
from agent.core.sentinels.passing import Passing
from agent.core.sentinels.usual import KEPT, Track, usual_of
from agent.core.sentinels.words import span
from tests.harness.long import examples
from tests.property.sentinels.worlds import START, OneJob, runs_of

SECONDS = st.floats(0, 1e6)
HISTORY = st.lists(SECONDS, min_size=1, max_size=KEPT)
OUTCOMES = st.text("SF", max_size=60)


@given(HISTORY, st.floats(0, 100))
def test_the_usual_lies_within_its_bounds(values: list[float], margin: float) -> None:
    usual = usual_of(values, margin)
    assert 0 <= usual.low <= usual.median <= usual.high
    assert math.isfinite(usual.high)
    assert usual.high - usual.median >= min(margin, usual.high) * 0.999


@given(HISTORY, st.randoms(use_true_random=False))
def test_the_order_of_what_was_is_of_no_account(values: list[float], drawn: object) -> None:
    shuffled = sorted(values, key=lambda _: drawn.random())  # type: ignore[attr-defined]
    assert usual_of(shuffled, 10) == usual_of(values, 10)


@given(st.lists(st.floats(1, 1e4), min_size=10, max_size=KEPT), st.floats(0.01, 1000))
def test_units_are_of_no_account(values: list[float], factor: float) -> None:
    one, other = usual_of(values, 0), usual_of([value * factor for value in values], 0)
    assert math.isclose(one.high * factor, other.high, rel_tol=1e-6)
    assert math.isclose(one.low * factor, other.low, rel_tol=1e-6)


@given(st.lists(st.floats(50, 150), min_size=20, max_size=KEPT - 1), st.floats(0.001, 1e8))
def test_one_wild_value_changes_little(values: list[float], wild: float) -> None:
    before, after = usual_of(values, 10), usual_of([*values, wild], 10)
    assert after.high <= max(before.high * 3, 450)
    assert after.low >= min(before.low / 3, 150 / 50) or before.low == 0


@given(HISTORY, st.floats(0.25, 100))
def test_more_tolerance_is_more_room(values: list[float], tolerance: float) -> None:
    plain = usual_of(values, 10)
    wide = plain.stretched(tolerance)
    assert (wide.high >= plain.high) == (tolerance >= 1) or math.isclose(wide.high, plain.high)
    assert (wide.low <= plain.low) == (tolerance >= 1) or math.isclose(wide.low, plain.low)


@given(st.lists(SECONDS, max_size=2 * KEPT))
def test_a_track_is_bounded_and_outlives_its_storing(values: list[float]) -> None:
    straight, stored = Track(10), Track(10)
    for value in values:
        straight.learn(value)
        stored = Track.load(10, stored.dump())
        stored.learn(value)
    assert len(straight.values) <= KEPT
    assert stored == straight


@examples(20)
@given(st.lists(st.sampled_from([1.0, 60.0, 70.0, 300.0]), min_size=1, max_size=60), OUTCOMES, st.data())
def test_how_looks_divide_the_runs_is_of_no_account(seconds: list[float], outcomes: str, data: st.DataObject) -> None:
    runs = runs_of([60.0] * 12 + seconds, "S" * 12 + outcomes)
    one_by_one, in_parts = OneJob(), OneJob()
    for job in (one_by_one, in_parts):
        job.look(START)
    for run in runs:
        one_by_one.look(run.ended_at, run)
    while runs:
        size = data.draw(st.integers(1, len(runs)))
        part, runs = runs[:size], runs[size:]
        in_parts.look(part[-1].ended_at, *part)
    for kind in ("too_slow", "too_fast", "flapping"):
        assert [told for told in in_parts.told if kind in told] == [told for told in one_by_one.told if kind in told]
    assert in_parts.open.keys() == one_by_one.open.keys()
    assert one_by_one.watch is not None
    assert in_parts.watch is not None
    assert in_parts.watch.history == one_by_one.watch.history


@examples(20)
@given(st.lists(st.sampled_from([1.0, 60.0, 75.0, 300.0, 900.0]), max_size=80), OUTCOMES)
def test_each_opens_and_closes_in_turn(seconds: list[float], outcomes: str) -> None:
    job = OneJob()
    for run in runs_of([60.0] * 12 + seconds, "S" * 12 + outcomes, timedelta(minutes=20)):
        job.look(run.ended_at, run)
        job.look(run.ended_at + timedelta(minutes=4))
    for kind in ("overdue", "too_slow", "too_fast", "flapping"):
        acts = [told.split()[0] for told in job.told if told.endswith(kind)]
        assert acts[:1] in ([], ["opened"])
        assert all(one != other for one, other in pairwise(acts))


@examples(20)
@given(st.lists(SECONDS, max_size=40), OUTCOMES)
def test_nothing_opens_before_there_is_a_history(seconds: list[float], outcomes: str) -> None:
    job = OneJob()
    for run in runs_of(seconds[:9], outcomes, timedelta(days=20)):
        job.look(run.ended_at, run)
    assert job.told == []


@given(st.text("SF", max_size=100))
def test_flapping_is_symmetrical(outcomes: str) -> None:
    """It is the changing that counts, not what is changed to."""
    found = judge_outcomes(outcomes)
    other = judge_outcomes(outcomes.translate(str.maketrans("SF", "FS")))
    assert (found is None) == (other is None)
    assert found is None or other is None or (found.flaps, found.changes) == (other.flaps, other.changes)
    assert found is None or not (found.flaps and found.is_calm)


@given(st.lists(st.tuples(st.integers(1, 600), st.integers(-100_000, 100_000)), max_size=30))
def test_a_span_without_a_jump_is_certain_and_one_with_it_is_not(looks: list[tuple[int, int]]) -> None:
    passing, wall, monotonic = Passing(), START, 0.0
    passing.look(wall, monotonic)
    for passed, jump in looks:
        before = wall
        wall, monotonic = wall + timedelta(seconds=passed + jump), monotonic + passed
        passing.look(wall, monotonic)
        if abs(jump) > 5:
            assert not passing.is_certain(min(before, wall), max(before, wall))
    ahead = max(wall, START) + timedelta(days=30)
    assert passing.is_certain(ahead, ahead + timedelta(hours=1))
    assert not passing.is_certain(ahead, ahead - timedelta(seconds=1))


@given(st.floats(0, 1e9))
def test_a_span_in_words_is_short_and_near(seconds: float) -> None:
    text = span(seconds)
    sizes = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    said = sum(float(part[:-1]) * sizes[part[-1]] for part in text.split())
    assert len(text.split()) <= 2
    assert abs(said - seconds) <= max(0.51, seconds * 0.06)
