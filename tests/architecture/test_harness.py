"""What tests begin with is what users begin with: the prepared store, and the process that is there at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.store import STORE_FILE, open_store
from shared.clock import SystemClock
from shared.ids import new_id
from tests.harness import warm_start
from tests.harness.agent_process import AgentProcess, until
from tests.harness.prepared import prepare, prepare_folder
from tests.harness.telling import tell_logs

_KEPT = ("journal_mode", "page_size", "auto_vacuum", "encoding", "user_version", "application_id")


async def test_a_prepared_store_is_the_one_that_a_first_start_makes(tmp_path: Path) -> None:
    fresh, prepared = tmp_path / "fresh.db", prepare(tmp_path / "prepared.db")
    assert prepared.stat().st_mode & 0o777 == 0o600
    for path in (fresh, prepared):
        await (await open_store(path, clock=SystemClock(), new_id=new_id)).close()
    assert _contents(prepared) == _contents(fresh)


def _contents(path: Path) -> dict[str, Any]:
    """Everything but what is a store's own: its name."""
    with closing(sqlite3.connect(path)) as store:
        tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: store.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
        rows["meta"] = sorted(key for key, _ in rows["meta"])
        schema = store.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
        return {"rows": rows, "schema": schema, "kept": [store.execute(f"PRAGMA {name}").fetchone() for name in _KEPT]}


@pytest.mark.parametrize(
    "words", [["--version"], ["job", "--help"], ["nonsense"], ["job", "show", "../x"]], ids=" ".join
)
def test_a_forked_jobdeck_does_what_a_started_one_does(words: list[str], tmp_path: Path) -> None:
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "JOBDECK_AGENT": str(tmp_path / "none.sock")}
    forked = warm_start.run(words, env=env)
    command = [sys.executable, "-m", "shared.launcher", *words]
    started = subprocess.run(command, capture_output=True, text=True, cwd=warm_start.ROOT, env=env, check=False)
    assert (forked.returncode, forked.stdout, forked.stderr) == (started.returncode, started.stdout, started.stderr)


def test_who_waits_in_vain_tells_what_there_was_to_see(tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path / "data")
    store = prepare_folder(agent.data_dir) / STORE_FILE
    with subprocess.Popen(["sleep", "600"]) as asleep:
        try:
            with pytest.raises(AssertionError) as told:
                until(list, "nothing comes", deadline=0.05, tell=lambda: "its own words")
        finally:
            asleep.kill()
    for part in ("nothing comes", "last answer: []", "its own words", f"{asleep.pid} below", f"runs in {store}:"):
        assert part in str(told.value)
    assert tell_logs() == ""
    agent.log.write_text("agent_started\n")
    assert tell_logs() == f"{agent.log}:\nagent_started\n"
