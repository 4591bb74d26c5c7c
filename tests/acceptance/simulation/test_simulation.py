"""A day of very many jobs, through the real scheduler, core and store: each moment is in the ledger as the rules say."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.store import STORE_FILE
from tests.acceptance.simulation.crowd import gather
from tests.acceptance.simulation.days import by_the_rules, ledger, simulate
from tests.harness.long import size

JOBS = size(15_000, full=100_000)
HOURS = 24
GROWTH = 32
"""Megabytes by which the second half of the time may need more than the first."""


async def test_some_hours_of_two_thousand_jobs(tmp_path: Path) -> None:
    await _simulate(tmp_path, 2_000, 2)


@pytest.mark.soak
async def test_a_day_of_very_many_jobs(tmp_path: Path) -> None:
    await _simulate(tmp_path, JOBS, HOURS)


async def _simulate(data_dir: Path, jobs: int, hours: int) -> None:
    await gather(data_dir, jobs)
    days = await simulate(data_dir, hours)
    print(f"{jobs} jobs, {hours} h: {days.fires} fires in {days.took:.0f} s; MB at each hour: {days.memory}")
    wanted, fires, started, seen = by_the_rules(hours), 0, 0, set()
    for name, decided in ledger(data_dir):
        assert decided == wanted[name[: len("job 000")]], name
        fires += len(decided)
        started += sum(outcome == "started" for _, outcome, _ in decided)
        seen.add(name)
    with closing(sqlite3.connect(data_dir / STORE_FILE)) as store:
        due = {name for (name,) in store.execute("SELECT name FROM jobs") if name[: len("job 000")] in wanted}
        [(runs, scheduled)] = store.execute(
            "SELECT count(*), count(DISTINCT fires.run_id) FROM runs LEFT JOIN fires ON fires.run_id = runs.id"
        )
    assert seen == due
    assert fires == days.fires
    assert runs == scheduled == started
    half = len(days.memory) // 2
    assert max(days.memory[half:]) - max(days.memory[:half]) < GROWTH
