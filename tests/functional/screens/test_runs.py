"""Screen 1: triage, as an operator uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from textual.pilot import Pilot

from shared.states import RunState
from tests.harness.console import NOW, console_on, run_id, settled, text_of, until
from tests.harness.stand_in import StandIn


@asynccontextmanager
async def opened(agent: StandIn, size: tuple[int, int] = (80, 24), **details: Any) -> AsyncIterator[Pilot[None]]:
    app = console_on(agent, **details)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield pilot


def lines(pilot: Pilot[None]) -> list[str]:
    return text_of(pilot.app).splitlines()


def screen(pilot: Pilot[None]) -> Any:
    return pilot.app.screen


def go_to(pilot: Pilot[None], run: str) -> None:
    """With the cursor, below its cause where that is closed."""
    runs = screen(pilot)
    cause = runs.rows.cause_row(run)
    if cause is not None and not runs.rows.is_open(cause):
        runs.toggle(cause)
    assert runs.table.move_to(run)


async def test_active_on_top_then_causes_then_the_rest(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        data = lines(pilot)[3:21]
        assert all(line.strip() for line in data), "18 data rows at 80×24"
        assert [line[4] for line in data[:7]] == list("RRRTPPP")
        assert "✗ F▸ 13× Orders export +1" in data[7]
        assert "✗ F▸ 2×" in data[8]
        assert "✗ F  Nightly backup" in data[9]
        assert {line[4] for line in data[10:]} == {"X", "C"}


async def test_progress_eta_and_late(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        data = lines(pilot)[3:6]
        assert "62%" in data[0]
        assert "1m 3" in data[0]
        assert "late 3m 20s" in data[1]
        assert "~25%" in data[2], "without progress of its own the job's history speaks"


async def test_what_was_let_go_to_bound_the_memory_comes_back_when_one_goes_there(agent: StandIn) -> None:
    ended = agent.runs[run_id(66)]
    agent.runs = {
        run_id(number): ended.model_copy(update={"id": run_id(number), "number": number}) for number in range(1, 191)
    }
    async with opened(agent) as pilot:
        await pilot.press("G")
        await until(pilot, lambda: screen(pilot).window.at_end and len(screen(pilot).items) == 190)
        await pilot.press("g")
        pilot.app.session.world.limit = 190
        agent.put_run(ended.model_copy(update={"id": run_id(191), "number": 191}), "run.created")
        await until(pilot, lambda: run_id(191) in screen(pilot).items and run_id(1) not in screen(pilot).items)
        await pilot.press("G")
        await until(pilot, lambda: run_id(1) in screen(pilot).items)


async def test_older_pages_come_in_below_while_one_goes_down(agent: StandIn) -> None:
    ended = agent.runs[run_id(66)]
    agent.runs = {
        run_id(number): ended.model_copy(update={"id": run_id(number), "number": number}) for number in range(1, 701)
    }
    async with opened(agent) as pilot:
        for rows in (400, 600, 700):
            await pilot.press("G")
            await until(pilot, lambda rows=rows: len(screen(pilot).rows) >= rows)
        assert list(screen(pilot).rows.shown) == [run_id(number) for number in range(700, 0, -1)]
        agent.put_run(ended.model_copy(update={"id": run_id(701), "number": 701}), "run.created")
        await until(pilot, lambda: "▲ 1 new" in lines(pilot)[1])


async def test_views_show_live_counts(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        assert "Active 7  Failed 16  Pending 3  Done 40  Cancelled 1" in lines(pilot)[1]
        agent.move_run(run_id(90), state=RunState.COMPLETED, finished_at=NOW)
        await until(pilot, lambda: "Active 6  Failed 16  Pending 3  Done 41" in lines(pilot)[1])
        await pilot.press("tab", "tab")
        await until(pilot, lambda: " Failed  16" in lines(pilot)[1])
        await until(pilot, lambda: [line[4] for line in lines(pilot)[3:6]] == list("FFF"))


async def test_cause_opens_and_closes(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: "rerun 13 failed" in lines(pilot)[-1])
        await pilot.press("enter")
        await until(pilot, lambda: sum("└ " in line for line in lines(pilot)) > 5)
        await pilot.press("enter")
        await until(pilot, lambda: not any("└ " in line for line in lines(pilot)))
        await pilot.press("n", "n")
        await until(pilot, lambda: "no space left on device" in lines(pilot)[21])
        await pilot.press("p")
        await until(pilot, lambda: "2 failures of one cause" in lines(pilot)[22])


async def test_nothing_moves_while_somebody_acts(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("j", "j")
        await until(pilot, lambda: screen(pilot).table.cursor_id == run_id(88))
        before = [line[:26] for line in lines(pilot)[3:21]]
        new = agent.runs[run_id(88)].model_copy(update={"id": run_id(95), "number": 95, "version": 1})
        agent.put_run(new, "run.created")
        agent.move_run(run_id(90), state=RunState.COMPLETED, finished_at=NOW)
        await until(pilot, lambda: "▲ 1 new" in lines(pilot)[1])
        await until(pilot, lambda: lines(pilot)[3][2:5] == "✓ C")
        assert [line[5:26] for line in lines(pilot)[3:21]] == [line[5:] for line in before], "rows stay where they are"
        assert screen(pilot).table.cursor_id == run_id(88)
        await pilot.press("g")
        await until(pilot, lambda: "new" not in lines(pilot)[1])
        assert screen(pilot).table.cursor_id == run_id(95)


async def test_failures_that_wait_are_told(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("j")
        await until(pilot, lambda: screen(pilot).table.is_acting)
        for number, state in ((95, RunState.RUNNING), (96, RunState.FAILED)):
            new = agent.runs[run_id(88)].model_copy(update={"id": run_id(number), "number": number, "state": state})
            agent.put_run(new, "run.created")
        await until(pilot, lambda: "▲ 2 new, 1 ✗" in lines(pilot)[1])
        await pilot.press("g")
        await until(pilot, lambda: "✗" not in lines(pilot)[1])


async def test_nobody_who_only_looks_misses_what_comes(agent: StandIn) -> None:
    """More than the screen has lines for, and the cursor on a row that nobody chose."""
    async with opened(agent) as pilot:
        for number in range(101, 131):
            agent.put_run(
                agent.runs[run_id(88)].model_copy(update={"id": run_id(number), "number": number}), "run.created"
            )
        await until(pilot, lambda: screen(pilot).table.cursor_id == run_id(130))
        assert "new" not in lines(pilot)[1]


async def test_a_row_that_was_opened_is_there_when_one_comes_back(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        here = screen(pilot).table.cursor_id
        await pilot.press("enter")
        await until(pilot, lambda: "esc back" in lines(pilot)[-1])
        for number in range(101, 131):
            agent.put_run(
                agent.runs[run_id(88)].model_copy(update={"id": run_id(number), "number": number}), "run.created"
            )
        await pilot.press("escape")
        await until(pilot, lambda: "▲ 30 new" in lines(pilot)[1])
        assert screen(pilot).table.cursor_id == here


async def test_leavers_stay_dimmed_until_the_view_is_let_go(agent: StandIn) -> None:
    async with opened(agent, view="active") as pilot:
        await pilot.press("j")
        await until(pilot, lambda: screen(pilot).table.is_acting)
        agent.move_run(run_id(90), state=RunState.COMPLETED, finished_at=NOW)
        await until(pilot, lambda: "✓ C" in lines(pilot)[3])
        await until(pilot, lambda: "dim" in str(screen(pilot).draw(run_id(90))[1].spans))
        await pilot.press("g")
        await until(pilot, lambda: "✓ C" not in text_of(pilot.app))


async def test_one_failure_reruns_without_a_question(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        go_to(pilot, run_id(68))
        await pilot.press("r")
        await until(pilot, lambda: "1 run started again" in text_of(pilot.app))
        assert agent.requests("/api/runs/_bulk") == [{"act": "rerun", "runs": [{"id": run_id(68), "version": 3}]}]


async def test_many_are_asked_for_and_no_is_the_default(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("n", "r")
        await until(pilot, lambda: "rerun 13 failed runs of 2 jobs?" in text_of(pilot.app))
        await pilot.press("enter")
        await until(pilot, lambda: "rerun 13 failed runs" not in text_of(pilot.app))
        assert not agent.asked
        await pilot.press("r")
        await until(pilot, lambda: "rerun 13 failed runs" in text_of(pilot.app))
        await pilot.press("y")
        await until(pilot, lambda: "13 runs started again" in text_of(pilot.app))
        assert len(agent.requests("/api/runs/_bulk")[0]["runs"]) == 13


async def test_running_work_says_what_would_be_lost(agent: StandIn) -> None:
    async with opened(agent, size=(120, 24)) as pilot:
        await pilot.press("j", "x")
        await until(
            pilot,
            lambda: "cancel 1 running run of Nightly backup? 31m 40s of work would be lost." in text_of(pilot.app),
        )
        await pilot.press("y")
        await until(pilot, lambda: "1 run asked to stop" in text_of(pilot.app))
        await until(pilot, lambda: "► R⊘" in text_of(pilot.app))


async def test_what_ended_while_it_was_asked_is_not_cancelled(agent: StandIn) -> None:
    async with opened(agent, size=(120, 24)) as pilot:
        await pilot.press("j", "x")
        await until(pilot, lambda: "cancel 1 running run of Nightly backup?" in text_of(pilot.app))
        run = next(run for run in agent.runs.values() if (run.job_name, run.state) == ("Nightly backup", "running"))
        agent.move_run(run.id, state=RunState.COMPLETED, finished_at=NOW)
        await until(pilot, lambda: screen(pilot).session.world.runs[run.id].state == RunState.COMPLETED)
        await pilot.press("y")
        await until(pilot, lambda: "nothing to cancel: Nightly backup has completed" in text_of(pilot.app))
    assert not agent.requests("/api/runs/_bulk")


async def test_pending_cancel_waits_and_is_taken_back(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        go_to(pilot, run_id(87))
        await pilot.press("x")
        await until(pilot, lambda: "cancelling 1 run in 10 s — u takes it back" in text_of(pilot.app))
        await until(pilot, lambda: "○ P⊘" in text_of(pilot.app) and "cancels in 10 s — u undoes" in text_of(pilot.app))
        await until(pilot, lambda: "x cancel" not in lines(pilot)[-1])
        screen(pilot).session.clock.advance(timedelta(seconds=3))
        await until(pilot, lambda: "cancelling 1 run in 7 s" in text_of(pilot.app))
        await until(pilot, lambda: "cancels in 7 s" in text_of(pilot.app))
        await pilot.press("u")
        await until(pilot, lambda: "1 cancel taken back" in text_of(pilot.app))
        await until(pilot, lambda: "cancelling 1 run" not in text_of(pilot.app) and "⊘" not in lines(pilot)[6])
    asked = [(body["act"], body.get("undoable")) for body in agent.requests("/api/runs/_bulk")]
    assert asked == [("cancel", True), ("uncancel", None)]
    assert agent.runs[run_id(87)].cancel_due_at is None


async def test_a_key_that_repeats_cancels_once(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        go_to(pilot, run_id(87))
        await pilot.press("x", "x", "x")
        await until(pilot, lambda: "cancelling 1 run" in text_of(pilot.app))
        assert len(agent.requests("/api/runs/_bulk")) == 1
        assert "changed meanwhile" not in text_of(pilot.app)


async def test_undo_takes_back_one_act_after_the_other(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        for number in (87, 84):
            go_to(pilot, run_id(number))
            await pilot.press("x")
            await until(pilot, lambda number=number: agent.runs[run_id(number)].cancel_due_at is not None)
        await until(pilot, lambda: "cancelling 2 runs in 10 s — u takes them back" in text_of(pilot.app))
        await pilot.press("u")
        await until(pilot, lambda: agent.runs[run_id(84)].cancel_due_at is None)
        await until(pilot, lambda: "cancelling 1 run in 10 s" in text_of(pilot.app))
        await pilot.press("u")
        await until(pilot, lambda: agent.runs[run_id(87)].cancel_due_at is None)
        await pilot.press("u")
        await until(pilot, lambda: "nothing to undo" in text_of(pilot.app))


async def test_many_are_asked_about_and_what_runs_is_signalled(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("j", "j", "space", "space", "x")
        await until(pilot, lambda: "cancel 1 retrying and 1 running runs?" in text_of(pilot.app))
        await pilot.press("y")
        await until(pilot, lambda: "1 run asked to stop" in text_of(pilot.app))
        await until(pilot, lambda: "cancelling 1 run in 10 s" in text_of(pilot.app))


async def test_who_may_not_act_sees_the_countdown_without_a_key(agent: StandIn) -> None:
    agent.scopes = ["read"]
    async with opened(agent) as pilot:
        agent.move_run(run_id(87), cancel_requested_at=NOW, cancel_due_at=NOW + timedelta(seconds=10))
        await until(pilot, lambda: "cancelling 1 run in 10 s" in text_of(pilot.app))
        assert "takes it back" not in text_of(pilot.app)
        agent.move_run(run_id(87), state=RunState.CANCELLED, cancel_due_at=None, finished_at=NOW)
        await until(pilot, lambda: "cancelling 1 run" not in text_of(pilot.app))


async def test_leaving_sends_nothing(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        go_to(pilot, run_id(87))
        await pilot.press("x")
        await until(pilot, lambda: "cancelling 1 run" in text_of(pilot.app))
        await pilot.press("q")
        await until(pilot, lambda: not pilot.app.is_running)
    assert len(agent.requests("/api/runs/_bulk")) == 1


async def test_stale_ones_are_refused_by_name(agent: StandIn) -> None:
    agent.refusals[run_id(80)] = ("stale_version", "changed")
    agent.refusals[run_id(79)] = ("conflict", "the revision is gone")
    async with opened(agent, size=(160, 24)) as pilot:
        await pilot.press("n", "r")
        await until(pilot, lambda: "rerun 13 failed runs" in text_of(pilot.app))
        await pilot.press("y")
        await until(pilot, lambda: "11 runs started again; refused: " in text_of(pilot.app))
        assert "Orders export: changed meanwhile; look again" in text_of(pilot.app)
        assert "Orders export: the revision is gone" in text_of(pilot.app)


async def test_marks_decide_what_an_act_goes_to(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("j", "j", "j", "j", "space", "space")
        await until(pilot, lambda: "cancel 2 pending" in lines(pilot)[-1])
        await pilot.press("escape")
        await until(pilot, lambda: "cancel 2 pending" not in lines(pilot)[-1])


async def test_marking_all_takes_hidden_runs_too_but_no_causes(agent: StandIn) -> None:
    async with opened(agent, view="failed") as pilot:
        await pilot.press("asterisk")
        await until(pilot, lambda: "rerun 16 failed" in lines(pilot)[-1])
        assert screen(pilot).table.marks == {run.id for run in agent.runs.values() if run.state is RunState.FAILED}


async def test_production_wants_the_number(agent: StandIn) -> None:
    agent.production = True
    async with opened(agent) as pilot:
        assert "PRODUCTION" in lines(pilot)[0]
        await pilot.press("n", "r")
        await until(pilot, lambda: "type 13:" in text_of(pilot.app))
        await pilot.press("y")
        await until(pilot, lambda: "type 13:" not in text_of(pilot.app))
        assert not agent.asked
        await pilot.press("r", "1", "3", "enter")
        await until(pilot, lambda: "13 runs started again" in text_of(pilot.app))


async def test_reader_is_offered_nothing_that_changes(agent: StandIn) -> None:
    agent.scopes = ["read"]
    async with opened(agent) as pilot:
        await until(pilot, lambda: "l log" in lines(pilot)[-1])
        assert "cancel" not in lines(pilot)[-1]
        await pilot.press("x")
        await until(pilot, lambda: "not allowed: to cancel needs the scope run; yours: read" in text_of(pilot.app))


async def test_copy_gives_the_command_line(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("y")
        await until(pilot, lambda: pilot.app.clipboard == f"jobdeck run show {run_id(90)}")


async def test_text_of_agents_never_commands_the_terminal(agent: StandIn) -> None:
    async with opened(agent, size=(160, 48)) as pilot:
        await pilot.press("n", "n", "enter", "2")
        await until(pilot, lambda: "Rogue ]0;ownedname" in text_of(pilot.app))
        assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for line in lines(pilot) for letter in line)
        assert "\u202e" not in text_of(pilot.app)


async def test_wide_terminal_has_the_detail_beside_the_list(agent: StandIn) -> None:
    async with opened(agent, size=(120, 30)) as pilot:
        assert "│ Orders into the index" in lines(pilot)[2]
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: lines(pilot)[-2].startswith(" #90 · by schedule"))


async def test_sort_goes_round_and_comes_back_to_triage(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        first = lines(pilot)[3:20]
        await pilot.press("s")
        await until(pilot, lambda: "Since↓" in lines(pilot)[2])
        assert not any("×" in line for line in lines(pilot)[3:21])
        await pilot.press("s", "s", "s")
        await until(pilot, lambda: lines(pilot)[3:20] == first)


async def test_a_narrow_terminal_still_says_since_when(agent: StandIn) -> None:
    async with opened(agent, (60, 20)) as pilot:
        data = lines(pilot)[3:16]
        assert all(line.rstrip().endswith(("ago", "now", "in 5m", "in 45s")) for line in data), data
        assert all(part in data[7] for part in ("13× Orders export", "connection refus"))
