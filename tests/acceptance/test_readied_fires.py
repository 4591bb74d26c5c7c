"""Many jobs due at once, whose fires are written and handed over in the second before: whoever is killed then, each fire
has one row and one run, and nothing begins before its moment."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shared.states import FINAL
from tests.acceptance import hasty
from tests.acceptance.storm import doomed
from tests.harness import stamp
from tests.harness.agent_process import AgentProcess, until
from tests.harness.crowd import copy_jobs
from tests.harness.long import seed

JOBS = 12
EVERY = 2
"""Seconds between two moments."""
_POLICIES = {
    "overlap": "allow",
    "on_lost": "retry",
    "retry": {"attempts": 5, "backoff": "0.1 s"},
    "catch_up": {"mode": "all"},
    "kill_grace": "1 s",
}


@dataclass
class Crowd:
    folder: Path

    def __post_init__(self) -> None:
        self.book = self.folder / "book"
        stamp.install(self.folder / "drivers")
        self.agent = self._agent()

    def begin(self) -> None:
        self.agent.start()
        self.first = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
        job = {
            "name": "crowd",
            "type": "stamp",
            "data": {"book": str(self.book)},
            "intervalType": "simple",
            "interval": f"{EVERY} seconds",
            "startOn": f"{self.first:%Y-%m-%dT%H:%M:%S}Z",
            "policies": _POLICIES,
        }
        self.agent.call("POST", "/api/jobs", job, expect=201)
        copy_jobs(self.agent.data_dir / "jobdeck.db", JOBS)

    def wait_until_before(self, seconds: float) -> datetime:
        """So long before a moment that is not past; the moment. Nothing of the agent is waited for but the wall clock,
        which is what its fires go by."""
        now = datetime.now(UTC)
        passed = max(0.0, (now - self.first).total_seconds() + seconds)
        moment = self.first + timedelta(seconds=EVERY * (int(passed / EVERY) + (passed > 0)))
        time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds() - seconds))
        return moment

    def kill_agent(self) -> None:
        self.agent.kill()
        self.agent = self._agent().start()

    def die_at(self, point: str) -> None:
        self.agent.kill()
        self.agent = self._agent({doomed.VARIABLE: point})
        self.agent.spawn()
        process = self.agent.process
        assert process is not None
        until(lambda: process.poll() is not None, f"it dies at {point}")
        self.agent = self._agent().start()

    def kill_worker(self) -> None:
        for worker in self.agent.call("GET", "/api/workers")["items"][:1]:
            with suppress(ProcessLookupError):  # it is gone already
                os.kill(worker["pid"], signal.SIGKILL)

    def calm(self) -> None:
        """Nothing more fires, and all that did is over."""
        for job in self._rows("jobs"):
            self.agent.call("POST", f"/api/jobs/{job['id']}/_pause")
        until(lambda: all(run["state"] in FINAL for run in self._rows("runs")), "all runs are over")
        assert self.agent.stop() == 0

    def assert_kept(self) -> int:
        """How many runs were promised before their moment, as of it."""
        runs, fires = {run["id"]: run for run in self._rows("runs")}, self._rows("fires")
        due = [fire for fire in fires if fire["outcome"] != "paused"]
        assert set(Counter((fire["job_number"], fire["fire_at"]) for fire in due).values()) == {1}
        assert {fire["outcome"] for fire in due} == {"started"}, "each moment is run, then or later"
        assert sorted(fire["run_id"] for fire in due) == sorted(runs)
        assert {run["state"] for run in runs.values()} == {"completed"}
        begun = [line.split() for line in self.book.read_text().splitlines()]
        assert set(Counter((run, attempt) for run, attempt, _ in begun).values()) == {1}, "an attempt ran twice"
        assert {run for run, *_ in begun} == runs.keys()
        for run, _, at in begun:
            assert int(at) // 1000 >= runs[run]["fire_at"], "it began before its moment"
        for run in runs.values():
            assert run["fire_at"] <= run["started_at"] <= run["finished_at"]
        for job in self._rows("jobs"):
            moments = sorted(fire["fire_at"] for fire in due if fire["job_number"] == job["number"])
            spacing = {after - before for before, after in pairwise(moments)}
            assert spacing == {EVERY * 1_000_000}, "none is left out"
        fire_at = {run["number"]: run["fire_at"] for run in runs.values()}
        return sum(each["claimed_at"] == fire_at[each["run_number"]] for each in self._rows("attempts"))

    def _agent(self, env: dict[str, str] | None = None) -> AgentProcess:
        env = {hasty.DRIVERS: str(self.folder / "drivers"), **(env or {})}
        return AgentProcess(self.folder / "data", "--workers", "2", env=env, module=hasty.__name__)

    def _rows(self, table: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.folder / "data" / "jobdeck.db")) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(f"SELECT * FROM {table}")]


def test_whoever_is_killed_in_the_last_second_no_fire_is_lost_or_run_twice(tmp_path: Path) -> None:
    _weather(Crowd(tmp_path), [("learn", 0.0), ("worker", 0.05), ("agent", 0.05)])


@pytest.mark.soak
def test_nor_in_many_seconds(tmp_path: Path) -> None:
    chance = random.Random(seed("readied"))
    kills = [(chance.choice(["agent", "worker", "worker"]), chance.uniform(-0.1, 0.4)) for _ in range(30)]
    points = [("fires.settlement.settle:before:2", 0.0), ("fires.settlement.settle:after:2", 0.0), ("learn", 0.0)] * 5
    _weather(Crowd(tmp_path), [("learn", 0.0), *kills, *points])


def _weather(crowd: Crowd, kills: list[tuple[str, float]]) -> None:
    """Each so many seconds before a moment; `learn`: nobody is killed, the agent sees how short the runs are."""
    crowd.begin()
    try:
        for victim, seconds in kills:
            if victim in ("agent", "worker", "learn"):
                crowd.wait_until_before(seconds)
            if victim == "agent":
                crowd.kill_agent()
            elif victim == "worker":
                crowd.kill_worker()
            elif victim != "learn":
                crowd.die_at(victim)
        crowd.wait_until_before(-0.5)
        crowd.calm()
    finally:
        if crowd.agent.process is not None and crowd.agent.process.poll() is None:
            crowd.agent.kill()
    assert crowd.assert_kept() > 0
