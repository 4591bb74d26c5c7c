"""The demo: what a newcomer runs first."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from agent.demo.world import open_world
from tests.harness import warm_start
from tests.harness.agent_process import until
from tests.harness.pty_app import start
from tests.harness.telling import PATIENCE

DEMO = [sys.executable, "-m", "shared.launcher", "demo"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short: the path of a Unix socket has little room."""
    with tempfile.TemporaryDirectory(prefix="jd") as name:
        yield Path(name)


def demo(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.run(
        [*DEMO, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env, timeout=PATIENCE
    )


def test_without_a_terminal_it_runs_the_main_job_and_leaves_nothing(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = demo("--port", str(taken.getsockname()[1]), folder=folder)
    assert done.returncode == 0, done.stderr
    assert "is taken; the demo's agent answers at http://127.0.0.1:" in done.stdout
    assert "20,000 synced" in done.stdout
    first_hit = next(line for line in done.stdout.splitlines() if line.startswith("  1."))
    assert "Aurora storm lantern" in first_hit
    assert not list(folder.iterdir())


def test_a_demo_that_is_kept_is_not_built_over_and_nothing_else_is_touched(folder: Path) -> None:
    kept = folder / "kept"
    assert demo("--headless", "--port", "0", "--keep", str(kept), folder=folder).returncode == 0
    again = demo("--headless", "--keep", str(kept), folder=folder)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == (
        "jobdeck: --keep: there is a demo in it, which opens in a terminal; without one, give a new folder "
        f"(not '{kept}')\n"
    )
    (folder / "letter.txt").touch()
    foreign = demo("--headless", "--keep", str(folder), folder=folder)
    assert (foreign.returncode, foreign.stdout) == (2, "")
    assert "--keep: other things are in it" in foreign.stderr
    assert sorted(entry.name for entry in folder.iterdir()) == ["kept", "letter.txt"]


def test_a_demo_that_is_kept_opens_again_in_a_terminal(folder: Path) -> None:
    """With what was done in it, and with the jobs that were not there yet."""
    kept = folder / "kept"
    assert demo("--headless", "--port", "0", "--keep", str(kept), folder=folder).returncode == 0
    with start([*DEMO, "--port", "0", "--keep", str(kept)], env={"HOME": str(folder)}) as app:
        app.read_until(lambda: "Import price list" in app.text and "live" in app.rows[0])
        app.send("2")
        app.read_until(lambda: "sync_orders_demo" in app.text)
        app.send("q")
        app.read_until(lambda: not (kept / "agent" / "run" / "agent.sock").exists())


async def test_the_documented_example_works_as_printed_with_dates_of_today(folder: Path) -> None:
    start_time = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(hours=1)
    body = {
        "job_name": "sync_orders",
        "source_table": "orders_db.orders",
        "kb_name": "orders_kb",
        "content_columns": ["product", "description"],
        "filter_column": "created_at",
        "interval": "10 MINUTES",
        "start_time": start_time.isoformat(),
        "end_time": (start_time + timedelta(days=1)).isoformat(),
    }
    world = await open_world(folder, port=0)
    try:
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False, verify=False) as client:
            answer = await client.post(f"{world.url}/jobs/create", json=body)
    finally:
        await world.close()
    assert answer.status_code == httpx.codes.CREATED, answer.text
    data = answer.json()["data"]
    assert (data["job_name"], data["status"]) == ("sync_orders", "scheduled")
    assert data["next_run"] == f"{start_time.isoformat()}Z"


def test_in_a_terminal_it_opens_the_console_on_a_past_that_is_there(folder: Path) -> None:
    env = {"TMPDIR": str(folder), "HOME": str(folder)}
    with start([*DEMO, "--port", "0"], env=env) as app:
        app.read_until(lambda: "Import price list" in app.text and "live" in app.rows[0])
        app.send("q")
        app.read_until(lambda: not list(folder.glob("jobdeck-demo-*")))


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_whoever_ends_it_while_it_is_made_leaves_nothing_behind(folder: Path, number: signal.Signals) -> None:
    env = {**os.environ, "TMPDIR": str(folder)}
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = warm_start.start(["demo"], stdout=stdout, stderr=stderr, env=env)
        until(lambda: os.fstat(stdout.fileno()).st_size, "it has begun")
        process.send_signal(number)
        assert process.wait(PATIENCE) == 128 + number
        assert os.fstat(stderr.fileno()).st_size == 0
    assert not list(folder.iterdir())
