"""The console as a process on a terminal: what it sends, how soon it draws, how it leaves."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from shared.states import RunState
from tests.harness.agent_process import until
from tests.harness.console import fixed_agent, run_id
from tests.harness.pty_app import PtyApp, cells_of, replay, start, start_warm
from tests.harness.stand_in import StandIn, serving

ROOT = Path(__file__).parents[3]
ARGV = [sys.executable, "-m", "shared.launcher"]
QUIET = {RunState.RUNNING, RunState.RETRYING, RunState.PENDING}

Open = Callable[..., PtyApp]


@pytest.fixture
def open_console(tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def open_it(agent: StandIn, *, cold: bool = False, **env: str) -> PtyApp:
            """`cold`: nothing is loaded for it."""
            env = _environment(agent.url, tmp_path) | env
            app = stack.enter_context(start(ARGV, env=env) if cold else start_warm(env=env))
            app.read_until(lambda: "live" in app.rows[0])
            app.read_until_quiet(0.4) if not _has_running(agent) else app.read_for(0.5)
            return app

        yield open_it


def _environment(url: str, home: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "JOBDECK_AGENT": url, "HOME": str(home), "LANG": "C.UTF-8", "XDG_CONFIG_HOME": ""}


def _has_running(agent: StandIn) -> bool:
    return any(run.state in QUIET for run in agent.runs.values())


@pytest.fixture
def idle() -> Iterator[StandIn]:
    """Nothing runs, nothing is due within a minute."""
    agent = fixed_agent()
    agent.runs = {run.id: run for run in agent.runs.values() if run.state not in QUIET}
    agent.jobs = {job.id: job for job in agent.jobs.values()}
    with serving(agent) as agent:
        yield agent


def test_idle_screen_sends_nothing_and_does_next_to_nothing(idle: StandIn, open_console: Open) -> None:
    app = open_console(idle)
    until(lambda: _rests(app), "it is through with its start")


def _rests(app: PtyApp) -> bool:
    """Nothing came in three seconds, and all that it did were looks at the time."""
    cpu = app.cpu_seconds()
    return app.read_for(3.0) == 0 and app.cpu_seconds() - cpu <= 0.03 * 3.0


def test_progress_tick_costs_at_most_200_bytes(idle: StandIn, open_console: Open) -> None:
    run = fixed_agent().runs[run_id(90)].model_copy(update={"started_at": None, "expected_seconds": None})
    idle.runs[run.id] = run
    app = open_console(idle)
    for done, percent in ((6500, "65%"), (6900, "69%"), (7300, "73%")):
        app.read_until_quiet(0.3)
        before = app.received
        idle.progress(run.id, done)
        app.read_until(lambda percent=percent: percent in app.rows[3])
        app.read_until_quiet(0.3)
        assert 0 < app.received - before <= 200


def test_page_down_costs_at_most_10_kilobytes(idle: StandIn, open_console: Open) -> None:
    app = open_console(idle)
    before = app.received
    app.send("\x1b[6~")
    app.read_until(lambda: not app.rows[3].startswith("  ✗ F▸"))
    app.read_until_quiet()
    assert app.received - before <= 10_000


def test_storm_leaves_the_cursor_on_its_run_and_the_screen_true(agent: StandIn, open_console: Open) -> None:
    app = open_console(agent)
    app.send("jjn")
    app.read_until(lambda: "rerun 13 failed" in app.rows[-1])
    row = next(index for index, text in enumerate(app.rows) if "13×" in text)
    before = app.received
    storm = threading.Thread(target=_storm, args=(agent,))
    storm.start()
    app.read_until(lambda: "▲ 60 new" in app.rows[1])
    storm.join()
    app.read_for(1.0)
    assert "13×" in app.rows[row], "its row stays where it was"
    assert "rerun 13 failed" in app.rows[-1], "the act still goes to what was there"
    assert app.received - before <= 60_000, "600 events in three seconds"
    app.send("\x0c")
    shown = cells_of(app.screen)
    seen = app.received
    app.read_until(lambda: b"\x1b[2J" in app.raw[seen:])
    app.read_for(0.3)
    repainted = cells_of(replay(bytes(app.raw[seen:]), 80, 24))
    still = [y for y in range(24) if not _ticks(app.rows[y])]
    assert [shown[y] for y in still] == [repainted[y] for y in still]


def _storm(agent: StandIn) -> None:
    """Two hundred events a second for three seconds: sixty new runs, the rest progress and moves."""
    over = time.monotonic()
    for number in range(600):
        if number % 10 == 0:
            new = agent.runs[run_id(87)].model_copy(update={"id": run_id(1000 + number), "number": 1000 + number})
            agent.put_run(new, "run.created")
        else:
            agent.progress(run_id(90), 6200 + number)
        over += 0.005
        time.sleep(max(0.0, over - time.monotonic()))  # the pace of the storm, not a wait for a state


def _ticks(row: str) -> bool:
    return "► R" in row or "↻" in row or "█" in row


def test_typing_ahead_reaches_what_it_was_meant_for(agent: StandIn, open_console: Open) -> None:
    """In one burst, as a slow line delivers it: none of the letters may act on the list."""
    app = open_console(agent)
    app.send("/exit job:orders-export xrx")
    app.read_until(lambda: "exit job:orders-export xrx" in app.text)
    app.send("\x1b")
    app.read_until(lambda: "exit job" not in app.text)
    app.send(":view failed\r")
    app.read_until(lambda: " Failed  16" in app.rows[1])
    assert not agent.asked


def test_esc_and_what_is_typed_with_it_are_two_keys(agent: StandIn, open_console: Open) -> None:
    app = open_console(agent)
    app.read_until(lambda: "#90" in app.rows[-2])
    app.send("\r")
    app.read_until(lambda: "esc back" in app.rows[-1])
    app.send("\x1bj")
    app.read_until(lambda: "#89" in app.rows[-2])
    app.send("\x1b2")
    app.read_until(lambda: "Schedule" in app.rows[2])


def test_offline_bar_over_a_terminal(agent: StandIn, open_console: Open) -> None:
    app = open_console(agent)
    agent.is_down = True
    agent.drop_streams()
    app.read_until(lambda: "OFFLINE" in app.rows[0])
    agent.is_down = False
    app.read_until(lambda: "live" in app.rows[0])


def test_resize_draws_anew(agent: StandIn, open_console: Open) -> None:
    app = open_console(agent)
    app.resize(140, 40)
    app.read_until(lambda: "│" in app.rows[10] and app.rows[-1].rstrip().endswith("? help"))
    app.resize(60, 20)
    app.read_until(lambda: app.rows[-1].rstrip().endswith("? help") and "│" not in app.text)


def test_suspend_gives_the_terminal_back_and_resume_draws_it(agent: StandIn, open_console: Open) -> None:
    app = open_console(agent)
    app.send("\x1a")
    app.read_until(lambda: b"\x1b[?1049l" in app.raw)
    _wait_until_stopped(app.pid)
    seen = app.received
    os.kill(app.pid, signal.SIGCONT)
    app.read_until(lambda: b"\x1b[?1049h" in app.raw[seen:] and "Orders into the index" in app.text)
    app.send("j")
    app.read_until(lambda: "#89" in app.text)


def _exit_code(app: PtyApp) -> int | None:
    until(lambda: app.read_for(0.02) == 0 and not app.is_running(), "it ends")
    return app.status


def _wait_until_stopped(pid: int) -> None:
    until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, "it stops")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_terminal_is_restored_when_it_is_ended(agent: StandIn, open_console: Open, number: int) -> None:
    app = open_console(agent)
    os.kill(app.pid, number)
    app.read_until(lambda: b"\x1b[?1049l" in app.raw and b"\x1b[?25h" in app.raw)
    _exit_code(app)


def test_quit_restores_the_terminal_and_says_nothing(agent: StandIn, open_console: Open) -> None:
    app = open_console(agent, cold=True)
    app.send("q")
    app.read_until(lambda: b"\x1b[?1049l" in app.raw)
    assert _exit_code(app) == 0
    assert b"Traceback" not in app.raw


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (["--theme", "pink"], "write one of dark, light, contrast, terminal", 2),
        (["--view", "nothing"], "write one of all, active, failed", 2),
        (["--agent", "ftp://x"], "--agent: write a URL", 2),
        (["--wat"], "is not an option of the console", 2),
    ],
)
def test_wrong_options_are_refused_in_a_line(tmp_path: Path, words: list[str], told: str, code: int) -> None:
    with start([*ARGV, *words], (120, 24), _environment("http://127.0.0.1:9", tmp_path)) as app:
        app.read_until(lambda: told in app.text)
        assert _exit_code(app) == code
        assert "Traceback" not in app.text


def test_keys_are_remapped_and_clashes_told(agent: StandIn, open_console: Open, tmp_path: Path) -> None:
    settings = tmp_path / "console.toml"
    settings.write_text('[keys]\nrerun = "R"\nlog = "x"\n')
    app = open_console(agent, JOBDECK_CONSOLE_CONFIG=str(settings))
    app.read_until(lambda: "keys.log: x already means 'cancel'" in app.text)
    app.send("n")
    app.read_until(lambda: "R rerun 13 failed" in app.rows[-1])
    app.send("R")
    app.read_until(lambda: "rerun 13 failed runs of 2 jobs?" in app.text)


def test_first_frame_loads_neither_httpx_nor_pydantic() -> None:
    code = "import console.app, console.shell, sys; print([m for m in ('httpx', 'pydantic', 'shared.models') if m in sys.modules])"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
