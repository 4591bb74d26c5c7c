"""The agent, or its workers, killed again and again at random moments: afterwards every promise is kept."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.acceptance.storm.doomed import VERBS
from tests.acceptance.storm.promises import Store, assert_kept
from tests.acceptance.storm.storm import Storm, Victim
from tests.harness.agent_process import AgentProcess, until
from tests.harness.long import seed

_SHORT = [
    ("fires.settlement.settle", "before"),
    ("fires.settlement.settle", "after"),
    ("runs.claims.claim", "before"),
    ("runs.claims.claim", "after"),
    ("runs.outcomes.finish", "before"),
    ("runs.outcomes.finish", "after"),
    ("runs.updates.write", "after"),
]
_KILLS: dict[Victim, int] = {"agent": 5, "worker": 8}
"""In `make test`. An agent takes its workers with it: the next one loads everything anew."""
ROWS = 20_000
MANY_ROWS = 100_000
KILLS = 200


@pytest.mark.parametrize("victim", ["agent", "worker"])
def test_a_short_storm_breaks_no_promise(tmp_path: Path, victim: Victim) -> None:
    _weather(Storm(tmp_path, seed=20260329, rows=4000, workers=2), [victim] * _KILLS[victim])


def test_whichever_commit_it_dies_at_no_promise_is_broken(tmp_path: Path) -> None:
    _weather(
        Storm(tmp_path, seed=20260329, rows=2000, workers=2),
        [],
        points=[f"{verb}:{moment}:2" for verb, moment in _SHORT],
    )


@pytest.mark.soak
@pytest.mark.parametrize("verb", VERBS)
def test_at_every_commit(tmp_path: Path, verb: str) -> None:
    numbers = random.Random(seed(verb))
    points = [f"{verb}:{moment}:{numbers.randint(1, 12)}" for moment in ("before", "after") for _ in range(5)]
    _weather(Storm(tmp_path, seed=seed(verb), rows=ROWS), [], points=points)


@pytest.mark.soak
@pytest.mark.parametrize("victims", [("agent",), ("worker",), ("agent", "worker")], ids="-".join)
def test_a_long_storm_breaks_no_promise(tmp_path: Path, victims: tuple[Victim, ...]) -> None:
    drawn = seed("-".join(victims))
    _weather(Storm(tmp_path, seed=drawn, rows=MANY_ROWS), random.Random(drawn).choices(victims, k=KILLS))


@pytest.mark.soak
def test_what_is_missed_while_no_agent_lives_is_caught_up_under_fire(tmp_path: Path) -> None:
    """Dead for longer than a fire stays on time, then killed again while it decides what it missed."""
    storm = Storm(tmp_path, seed=seed("absence"), rows=ROWS)
    store = _weather(storm, ["agent"] * 8, absence=100)
    outcomes = {(fire["outcome"], fire["reason"]) for fire in store.fires}
    assert outcomes >= {("started", "caught_up"), ("coalesced", "stands_for_later"), ("missed", "catch_up_none")}


@pytest.mark.soak
@pytest.mark.parametrize("turn", range(20))
def test_a_first_start_cut_short_anywhere_is_made_good_by_the_next(tmp_path: Path, turn: int) -> None:
    agent = AgentProcess(tmp_path / "data", "--workers", "1", cold=True)
    agent.spawn()
    until(agent.data_dir.exists, "it begins")
    time.sleep(random.Random(seed(f"first start {turn}")).uniform(0, 0.5))  # anywhere in what it makes
    agent.kill()
    agent.start()
    agent.call("PUT", "/api/secrets/first", {"value": "kept"})
    assert agent.stop() == 0


def _weather(storm: Storm, victims: list[Victim], absence: float = 0, points: Sequence[str] = ()) -> Store:
    half = len(victims) // 2
    try:
        storm.begin()
        storm.rage(victims[:half])
        if absence:
            storm.leave_dead(absence)
        storm.die_at(list(points))
        storm.rage(victims[half:])
        storm.calm()
    finally:
        storm.stop()
    store = assert_kept(storm)
    print(f"kills {storm.kills}, {len(store.runs)} runs, {len(store.attempts)} attempts, {len(store.events)} events")
    assert sum(storm.kills.values()) > (len(victims) + len(points)) / 2
    assert storm.shop.writes > 0
    return store
