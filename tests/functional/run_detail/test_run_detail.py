"""The run's screen as an operator uses it, against a real agent."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.screens.run_detail import RunDetail
from console.widgets.log_pane import LogPane
from tests.functional.run_detail.conftest import StartRun
from tests.harness.agent_process import AgentProcess, until
from tests.harness.operator import Operator, operating
from tests.harness.pty_app import start_warm

FAILS = "for i in 1 2 3; do echo row $i; done; echo no such host >&2; exit 3"


def screen_of(operator: Operator) -> RunDetail:
    found = operator.app.screen
    assert isinstance(found, RunDetail)
    return found


async def open_run(operator: Operator, run_id: str) -> None:
    await operator.reads("live")
    operator.app.open_run(run_id)
    await operator.until(lambda: isinstance(operator.app.screen, RunDetail), "the run's screen")


async def test_a_failed_run_says_why_and_opens_its_log_at_the_error(agent: AgentProcess, start_run: StartRun) -> None:
    run_id = start_run(FAILS, "failed", name="Import")
    async with operating(agent.socket) as operator:
        await open_run(operator, run_id)
        await operator.reads("✗ F  failed  #1  Import", "attempt 1 of 1", "by hand  rev 1", "exit status 3")
        await operator.reads("fingerprint", "first error: line", "E exit status 3", "r rerun")
        assert "x cancel" not in operator.text


async def test_wide_terminals_have_the_log_beside(agent: AgentProcess, start_run: StartRun) -> None:
    run_id = start_run(FAILS, "failed", name="Import")
    async with operating(agent.socket, (160, 48)) as operator:
        await open_run(operator, run_id)
        await operator.until(lambda: any(row.find(" Log") > 50 for row in operator.rows), "the log beside")
        await operator.reads("exit status 3", "Run  ")


async def test_a_rerun_opens_the_new_run_and_names_the_old(agent: AgentProcess, start_run: StartRun) -> None:
    run_id = start_run(FAILS, "failed", name="Again")
    number = agent.call("GET", f"/api/runs/{run_id}")["number"]
    async with operating(agent.socket) as operator:
        await open_run(operator, run_id)
        await operator.reads("r rerun")
        await operator.press("r")
        await operator.until(lambda: screen_of(operator).run_id != run_id, "the new run")
        new = screen_of(operator).run_id
        assert agent.call("GET", f"/api/runs/{new}")["originalRunId"] == run_id
        await operator.reads("F  failed", f"Rerun of  #{number}")
        await operator.press("escape")
        await operator.until(lambda: screen_of(operator).run_id == run_id, "the run before")


async def test_progress_and_log_are_live(agent: AgentProcess, start_run: StartRun, tmp_path: Path) -> None:
    """The program goes on only when the test lets it: what is read cannot have been there before."""
    line = (
        f"cd {tmp_path}; echo first; echo ::progress 1/4; until [ -e go ]; do sleep 0.05; done; "
        "echo second; echo ::progress 3/4; until [ -e end ]; do sleep 0.05; done; echo third"
    )
    run_id = start_run(line, "running", name="Live")
    async with operating(agent.socket) as operator:
        await open_run(operator, run_id)
        await operator.reads("► R  running", "25%", "first", "following")
        (tmp_path / "go").touch()
        await operator.reads("75%", "second")
        (tmp_path / "end").touch()
        await operator.reads("✓ C  completed", "third")
        await operator.reads_no("following")


async def test_cancel_is_asked_counted_down_and_proven(agent: AgentProcess, start_run: StartRun) -> None:
    line = "trap '' TERM; echo ready; while true; do sleep 0.1; done"
    run_id = start_run(line, "running", name="Stubborn", kill_grace="2 s")
    until(lambda: agent.call("GET", f"/api/runs/{run_id}/log")["total"], "it is ready")
    async with operating(agent.socket) as operator:
        await open_run(operator, run_id)
        await operator.reads("x cancel", "ready")
        await operator.press("x")
        await operator.reads("y cancel it")
        await operator.press("enter")
        await operator.reads_no("y cancel it")
        assert agent.call("GET", f"/api/runs/{run_id}")["cancelRequestedAt"] is None
        await operator.press("x")
        await operator.reads("y cancel it")
        await operator.press("y")
        await operator.reads("R⊘ cancelling", "TERM sent, KILL in")
        assert "x cancel" not in operator.text
        await operator.reads("⊘ X  cancelled", "none of its processes is left", "r rerun")


async def test_the_log_alone_and_back(agent: AgentProcess, start_run: StartRun) -> None:
    run_id = start_run("echo hello", "completed", name="Small")
    async with operating(agent.socket) as operator:
        await open_run(operator, run_id)
        await operator.reads("Times", "hello")
        await operator.press("l")
        await operator.reads_no("Times")
        await operator.reads("C  completed")
        await operator.press("escape")
        await operator.reads("Times")
        await operator.press("escape")
        await operator.until(lambda: not isinstance(operator.app.screen, RunDetail), "the list")


async def test_texts_and_errors_are_found_in_a_log(agent: AgentProcess, start_run: StartRun) -> None:
    line = "seq -f 'row %g' 3000; echo A Needle; seq -f 'more %g' 3000; echo no needle more; exit 3"
    run_id = start_run(line, "failed", name="Chatty")
    async with operating(agent.socket) as operator:
        await open_run(operator, run_id)
        await operator.reads("E exit status 3")
        await operator.press("g", "slash")
        await operator.type("needle")
        await operator.press("enter")
        pane = screen_of(operator).pane
        await operator.until(lambda: pane.view.focus_line == 3_001, "at the first")
        await operator.reads("A Needle", "row 3000")
        await operator.press("n")
        await operator.until(lambda: pane.view.focus_line == 6_002, "at the second")
        await operator.press("n")
        await operator.reads("no “needle” below")
        await operator.press("N")
        await operator.until(lambda: pane.view.focus_line == 3_001, "back at the first")
        await operator.press("e")
        await operator.reads("E exit status 3")
        await operator.press("E")
        await operator.reads("no error above")


@pytest.mark.parametrize(("keys", "copied"), [("y", "jobdeck run show "), ("ly", "jobdeck run logs ")])
async def test_the_line_for_the_shell_is_copied(
    agent: AgentProcess, start_run: StartRun, keys: str, copied: str
) -> None:
    run_id = start_run("true", "completed", name="Copy")
    async with operating(agent.socket) as operator:
        await open_run(operator, run_id)
        await operator.reads("C  completed")
        await operator.press(*keys)
        assert operator.app.clipboard == copied + run_id


async def test_why_is_answered(agent: AgentProcess, start_run: StartRun) -> None:
    run_id = start_run("true", "completed", name="Reason")
    async with operating(agent.socket) as operator:
        await open_run(operator, run_id)
        await operator.reads("C  completed")
        await operator.press("w")
        await operator.until(lambda: not isinstance(operator.app.screen, RunDetail), "the answer")
        await operator.reads("Reason")


async def test_attempts_are_told_with_their_errors(agent: AgentProcess, start_run: StartRun, tmp_path: Path) -> None:
    run_id = start_run(
        f"test -e {tmp_path}/once || {{ touch {tmp_path}/once; exit 75; }}",
        "completed",
        name="Flaky",
        retry={"attempts": 2, "backoff": "0.1 s"},
    )
    async with operating(agent.socket, (160, 48)) as operator:
        await open_run(operator, run_id)
        await operator.reads("C  completed", "attempt 2 of 2", "Attempts", "exit status 75", "2 ✓ C completed")


async def test_a_run_that_is_not_there_is_said_so(agent: AgentProcess) -> None:
    async with operating(agent.socket) as operator:
        await open_run(operator, "01900000-0000-7000-8000-000000000000")
        await operator.reads("01900000-0000-7000-8000-000000000000", "esc")
        assert operator.app.screen.query_one(LogPane).lines.total == 0


def test_a_search_typed_in_one_go_is_no_act(agent: AgentProcess, start_run: StartRun, tmp_path: Path) -> None:
    """`x` and `y` in it must not cancel the run: over a slow line they come together with the slash."""
    run_id = start_run("echo ready; sleep 60", "running", name="Searched")
    env = {"JOBDECK_AGENT": str(agent.socket), "HOME": str(tmp_path)}
    with start_warm(env=env) as app:
        app.read_until(lambda: "live" in app.rows[0] and "Searched" in app.text)
        app.send("\r")
        app.read_until(lambda: "ready" in app.text)
        app.send("/xyxy\r")
        app.read_until(lambda: "no “xyxy” anywhere" in app.text)
    assert agent.call("GET", f"/api/runs/{run_id}")["cancelRequestedAt"] is None
    agent.call("POST", f"/api/runs/{run_id}/_cancel", {})
