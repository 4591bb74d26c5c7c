"""An agent that comes back after half an hour: what it missed waits, is released by the command, and runs once each."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.store import STORE_FILE
from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.shell import Shell

MINUTE = 60_000_000
"""In microseconds, as the store keeps moments."""
SETTINGS = {"JOBDECK_CATCH_UP_THRESHOLD": "20", "JOBDECK_CATCH_UP_RATE": "6000"}


def test_what_was_missed_waits_is_released_and_runs_once(tmp_path: Path) -> None:
    data, book = tmp_path / "data", tmp_path / "book"
    with agent_process(data, "--workers", "2", env=SETTINGS) as agent:
        jobs = [_minutely(agent, name, book) for name in ("one", "two")]
    _be_absent(data, minutes=30)
    with agent_process(data, "--workers", "2", env=SETTINGS) as agent:
        until(lambda: agent.call("GET", "/api/catch-up")["waiting"] >= 56, "what was missed waits")
        assert not _caught_up(agent), "nothing of it starts by itself"
        assert "wait for an operator" in " ".join(agent.call("GET", "/api/jobs/one/explain")["sentences"])
        done = json.loads(_jobdeck(data, "catch-up", "release", "one", "--yes", "--json"))
        until(lambda: _left(agent) == (0, done["released"]), "one of the two has caught up", tell=book.read_text)
        _jobdeck(data, "catch-up", "discard", "--all", "--yes")
        until(lambda: _quiet(agent), "all runs have ended")
        runs = _caught_up(agent)
        assert {run["jobId"] for run in runs} == {jobs[0]["id"]}
        assert (len(runs), {run["state"] for run in runs}) == (done["released"], {"completed"})
        ran = Counter(line.split()[1] for line in book.read_text().splitlines())
        assert [ran[run["id"]] for run in runs] == [1] * len(runs)
        fired = [run["fireAt"] for run in sorted(runs, key=lambda run: str(run["startedAt"]))]
        assert fired == sorted(fired), "the oldest first"


def _minutely(agent: AgentProcess, name: str, book: Path) -> dict[str, Any]:
    job = {
        "name": name, "type": "command", "intervalType": "cron", "interval": "* * * * *",
        "data": {"command": f'echo {name} "$JOBDECK_RUN" >> {book}'},
        "policies": {"overlap": "allow", "catch_up": {"mode": "all"}},
    }  # fmt: skip
    made: dict[str, Any] = agent.call("POST", "/api/jobs", job, expect=201)
    return made


def _be_absent(data: Path, minutes: int) -> None:
    """As if the agent had stopped so long ago."""
    with closing(sqlite3.connect(data / STORE_FILE)) as store, store:
        store.execute("DELETE FROM fires")
        ago = minutes * MINUTE
        store.execute("UPDATE jobs SET high_water = high_water - ?, next_fire_at = next_fire_at - ?", (ago, ago))


def _jobdeck(data: Path, *words: str) -> str:
    return Shell(data)(*words)


def _caught_up(agent: AgentProcess) -> list[dict[str, Any]]:
    items = agent.call("GET", "/api/runs?limit=200")["items"]
    return [run for run in items if run["cause"] == "catch_up"]


def _left(agent: AgentProcess) -> tuple[int, int]:
    """(fires that are released and have not started, runs that have completed)."""
    backlog = agent.call("GET", "/api/catch-up")
    return backlog["released"], sum(run["state"] == "completed" for run in _caught_up(agent))


def _quiet(agent: AgentProcess) -> bool:
    return not agent.call("GET", "/api/runs?filter=state:active&limit=1")["items"]
