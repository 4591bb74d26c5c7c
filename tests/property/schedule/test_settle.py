"""Whatever the cadence of evaluations: every due moment gets exactly one fate, and nothing is fired twice."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.models.fire import FireOutcome, FireReason
from shared.models.job import CatchUp, Overlap
from shared.schedule import FireState, ScheduleSpec, Verdict, compile_schedule, settle
from shared.schedule.settle import to_catch_up
from tests.harness.long import examples

START = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
SPECS = [
    ScheduleSpec("cron", "* * * * *", "Europe/Berlin"),
    ScheduleSpec("cron", "*/15 * * * *", "Australia/Lord_Howe"),
    ScheduleSpec("cron", "30 1-3 * * *", "Europe/Berlin"),
    ScheduleSpec("cron", "*/20 2 * * *", "Europe/Berlin", end_on="2026-03-30"),
    ScheduleSpec("simple", "7 minutes", anchor=START),
    ScheduleSpec("simple", "45 seconds", start_on="2026-03-28T23:00:00Z"),
    ScheduleSpec("simple", "1 day", "Europe/Berlin", start_on="2026-03-27T02:30"),
    ScheduleSpec("once", "2026-03-29T02:30", "Europe/Berlin"),
    ScheduleSpec("none", None),
]
OVERLAPS: list[Overlap] = ["skip", "queue_one", "queue_all", "cancel_running", "allow"]
overlaps = st.sampled_from(OVERLAPS)
catch_ups = st.builds(
    CatchUp,
    mode=st.sampled_from(["latest", "all", "none"]),
    window=st.sampled_from([timedelta(0), timedelta(minutes=30), timedelta(hours=5), timedelta(days=1)]),
)
steps = st.lists(st.integers(-4_000, 20_000), min_size=1, max_size=8)


def state_of(spec: ScheduleSpec, overlap: Overlap = "skip", catch_up: CatchUp | None = None) -> FireState:
    return FireState(
        schedule=compile_schedule(spec),
        overlap=overlap,
        catch_up=catch_up or CatchUp(),
        jitter=timedelta(0),
        high_water=START,
        paused_since=None,
        active=0,
        queued=0,
    )


def run(state: FireState, now: datetime, limit: int = 1000) -> tuple[list[Verdict], FireState]:
    """One evaluation as an agent does it: again while there is more; what starts stays active."""
    verdicts: list[Verdict] = []
    while True:
        settlement = settle(state, now, random.Random(0), limit=limit)
        assert len(settlement.verdicts) <= limit
        verdicts += settlement.verdicts
        started = sum(verdict.starts for verdict in settlement.verdicts)
        caught_up = sum(verdict.reason is FireReason.CAUGHT_UP for verdict in settlement.verdicts)
        state = replace(
            state,
            high_water=settlement.high_water,
            active=state.active + started,
            queued=state.queued + started,
            fresh=state.fresh + caught_up,
            catching_up=state.catching_up or caught_up > 0,
        )
        assert settlement.next_fire == state.schedule.next(state.high_water) or state.paused_since
        if not settlement.more:
            return verdicts, replace(state, fresh=0)


def moments_of(verdicts: list[Verdict], state: FireState) -> list[datetime]:
    """The moments that the rows stand for, spans taken apart."""
    found: list[datetime] = []
    for verdict in verdicts:
        if verdict.until is None:
            assert verdict.count == 1
            found.append(verdict.fire_at)
            continue
        inside = state.schedule.between(verdict.fire_at - timedelta(microseconds=1), verdict.until, 100_000)
        assert (inside[0], inside[-1], len(inside)) == (verdict.fire_at, verdict.until, verdict.count)
        found += inside
    return found


@examples(80)
@given(
    st.sampled_from(SPECS),
    overlaps,
    catch_ups,
    steps,
    st.sampled_from([1, 2, 3, 1000]),
    st.none() | st.integers(0, 40_000),
)
def test_every_moment_exactly_once_in_order(
    spec: ScheduleSpec, overlap: Overlap, catch_up: CatchUp, steps: list[int], limit: int, pause: int | None
) -> None:
    state = state_of(spec, overlap, catch_up)
    if pause is not None:
        state = replace(state, paused_since=START + timedelta(seconds=pause))
    now, furthest, verdicts = START, START, []
    for step in steps:
        now += timedelta(seconds=step)
        found, after = run(state, now, limit)
        if now <= state.high_water:
            assert (found, after) == ([], state)
        verdicts += found
        state = after
        furthest = max(furthest, now)
        assert state.high_water == furthest
    expected = state.schedule.between(START, furthest, 100_000)
    assert moments_of(verdicts, state) == expected


@examples(60)
@given(
    st.sampled_from(SPECS),
    st.sampled_from(["skip", "queue_one", "queue_all", "allow"]),
    st.lists(st.integers(1, 59), min_size=1, max_size=200),
)
def test_the_same_ledger_whatever_the_cadence_when_on_time(
    spec: ScheduleSpec, overlap: Overlap, waits: list[int]
) -> None:
    now, often = START, state_of(spec, overlap)
    ledger: list[Verdict] = []
    for wait in waits:
        now += timedelta(seconds=wait)
        rows, often = run(often, now)
        ledger += rows
    each = state_of(spec, overlap)
    wanted: list[Verdict] = []
    for moment in each.schedule.between(START, now, 100_000):
        rows, each = run(each, moment)
        wanted += rows
    assert ledger == wanted
    assert all(row.reason not in {FireReason.CAUGHT_UP, FireReason.STANDS_FOR_LATER} for row in ledger)


@examples(60)
@given(st.sampled_from(SPECS), overlaps, catch_ups, st.integers(61, 300_000), st.integers(1, 50))
def test_rows_do_not_depend_on_the_limit(
    spec: ScheduleSpec, overlap: Overlap, catch_up: CatchUp, gone: int, limit: int
) -> None:
    now = START + timedelta(seconds=gone)
    at_once, _ = run(state_of(spec, overlap, catch_up), now, limit=100_000)
    in_slices, _ = run(state_of(spec, overlap, catch_up), now, limit=limit)
    assert in_slices == at_once


@examples(60)
@given(st.sampled_from(SPECS), overlaps, catch_ups, st.integers(61, 300_000))
def test_what_a_downtime_leaves(spec: ScheduleSpec, overlap: Overlap, catch_up: CatchUp, gone: int) -> None:
    state = state_of(spec, overlap, catch_up)
    now = START + timedelta(seconds=gone)
    verdicts, _ = run(state, now)
    missed = [verdict for verdict in verdicts if verdict.fire_at < now - timedelta(seconds=60)]
    caught = [verdict for verdict in missed if verdict.starts or verdict.reason is FireReason.AWAITING_TURN]
    inside = [verdict for verdict in missed if verdict.fire_at >= now - catch_up.window]
    assert to_catch_up(state, now) == len(caught)
    assert [verdict.starts for verdict in caught] == [True, *[False] * (len(caught) - 1)][: len(caught)]
    assert all(verdict.chained and verdict.reason is FireReason.CAUGHT_UP for verdict in caught[:1])
    assert all(verdict.fire_at >= now - catch_up.window for verdict in caught)
    if catch_up.mode == "none":
        assert not caught
    elif catch_up.mode == "all":
        assert caught == inside
    else:
        assert caught == inside[-1:]
        assert all(row.stands_in_fire_at == caught[0].fire_at for row in inside[:-1])
    running = {verdict.fire_at for verdict in verdicts if verdict.starts}
    for row in verdicts:
        if row.outcome is FireOutcome.COALESCED:
            assert row.stands_in_fire_at in running


@examples(80)
@given(
    st.lists(st.tuples(st.sampled_from(SPECS), overlaps, catch_ups), min_size=1, max_size=4),
    st.integers(61, 40_000),
    st.integers(0, 60),
    st.sampled_from([1, 7, 1000]),
)
def test_no_more_than_the_threshold_is_caught_up_by_itself(
    jobs: list[tuple[ScheduleSpec, Overlap, CatchUp]], gone: int, threshold: int, limit: int
) -> None:
    """Of all jobs together; and whether or not it is held, every moment has its one row and what is on time goes on."""
    now = START + timedelta(seconds=gone)
    states = [state_of(*job) for job in jobs]
    total = sum(to_catch_up(state, now) for state in states)
    held_up_to = now - timedelta(seconds=60) if total > threshold else None
    states = [replace(state, held_up_to=held_up_to) for state in states]
    assert sum(to_catch_up(state, now) for state in states) == (0 if held_up_to else total)
    ledgers = [run(state, now, limit)[0] for state in states]
    reasons = [verdict.reason for ledger in ledgers for verdict in ledger]
    by_itself = reasons.count(FireReason.CAUGHT_UP) + reasons.count(FireReason.AWAITING_TURN)
    assert (by_itself, reasons.count(FireReason.AWAITING_OPERATOR)) == ((0, total) if held_up_to else (total, 0))
    for state, ledger in zip(states, ledgers, strict=True):
        assert moments_of(ledger, state) == state.schedule.between(START, now, 100_000)
