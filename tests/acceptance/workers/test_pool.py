"""Runs through real workers: what they say, what becomes of workers."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from agent.core.wire import Checkpointed, Ended, Logged, Progressed, RunMessage, Started, StepChanged, Warned
from agent.workers import member as member_module
from agent.workers import pool as pool_module
from agent.workers.scratch import remove_folder
from shared.models.job import RunLimits
from tests.acceptance.workers.stage import Stage, new_stage, until, worker_processes
from tests.harness.telling import PATIENCE


async def test_everything_a_driver_says_arrives_in_order(stage: Stage) -> None:
    run = await stage.give("tell", {"count": 5000}, secrets={"key": "s3cret!"}, checkpoint={"at": 0})
    ending = await stage.ending(run)
    assert ending.ended is not None
    assert ending.ended.outcome == "completed"
    assert ending.ended.result is not None
    assert ending.ended.result["secret"] == "•••", "a secret left in a result"
    assert ending.ended.result["checkpoint"] == {"at": 1}
    assert not await asyncio.to_thread(Path(ending.ended.result["scratch"]).exists)
    assert len(stage.of(run, Started)) == 1
    assert stage.log(run) == ["hello", "printed"]
    assert stage.log(run, "stdout") == ["printed"]
    assert [event.text for event in stage.of(run, Warned)] == ["careful, •••"]
    assert [step.state for step in stage.of(run, StepChanged)] == ["running", "running", "completed"]
    assert stage.of(run, StepChanged)[-1].result == {"n": 5000}
    assert stage.of(run, Checkpointed)[-1].data == {"at": 1}
    progress = stage.of(run, Progressed)
    assert progress[-1].progress.done == 5000, "the last progress is always told"
    assert len(progress) < 20, "progress is coalesced"


async def test_an_exception_becomes_an_error_with_its_traceback_in_the_log(stage: Stage) -> None:
    first = await stage.run("fail")
    run = await stage.give("fail")
    second = (await stage.ending(run)).ended
    assert first.error is not None
    assert second is not None
    assert second.error is not None
    assert first.outcome == second.outcome == "failed"
    assert first.error.kind == "error"
    assert first.error.message.startswith("ValueError: row ")
    assert first.error.fingerprint == second.error.fingerprint
    assert any("Traceback" in line for line in stage.log(run))


async def test_a_drivers_own_error_keeps_its_kind(stage: Stage) -> None:
    ended = await stage.run("fail", {"kind": "source_unreachable"})
    assert ended.error is not None
    assert (ended.error.kind, ended.error.transient) == ("source_unreachable", True)


async def test_a_result_that_the_agent_could_not_read_costs_no_worker(stage: Stage) -> None:
    assert (await stage.run("nest", {"count": 64})).outcome == "completed"
    for levels in (65, 300, 3000, 0):
        ended = await stage.run("nest", {"count": levels})
        assert ended.error is not None
        assert (ended.error.kind, ended.error.message) == (
            "result_too_deep",
            "the result is nested deeper than 64 levels; write a file instead",
        )


async def test_bad_parameters_and_unknown_entries_are_told(stage: Stage) -> None:
    wrong = await stage.run("flood", {"count": "many"})
    assert wrong.error is not None
    assert wrong.error.kind == "parameters"
    assert "data.count" in wrong.error.message
    missing = await stage.run("no_such")
    assert missing.error is not None
    assert missing.error.kind == "driver"
    assert "no_such" in missing.error.message


async def test_a_flood_of_log_lines_arrives_whole_and_presses_back(stage: Stage) -> None:
    stage.slow = 0.002
    count = 100_000
    run = await stage.give("flood", {"count": count, "size": 200})
    ending = await stage.ending(run, 60)
    assert ending.ended is not None
    assert ending.ended.result is not None
    lines = stage.log(run)
    assert [int(line.split()[0]) for line in lines] == list(range(count))
    assert ending.ended.result["peak"] < 100_000, "kB: the worker kept the lines to itself"
    assert max(len(event.lines) for event in stage.of(run, Logged)) <= 1001


async def test_one_run_does_not_colour_the_next(stage: Stage) -> None:
    await stage.run("dirty")
    run = await stage.give("clean")
    ended = (await stage.ending(run)).ended
    assert ended is not None
    assert ended.result is not None
    assert ended.result["left"] is None
    assert ended.result["folder"] != "/"
    assert ended.result["run"] == run
    assert not ended.result["deaf"], "to TERM, by which the worker interrupts"
    assert ended.result["alarm"] == 0


async def test_what_one_run_set_up_to_print_prints_to_the_log_of_the_next(stage: Stage) -> None:
    first, second, third = [await _said(stage, number) for number in (1, 2, 3)]
    assert first == second == third, "of one worker"


async def _said(stage: Stage, number: int) -> Any:
    run = await stage.give("say", {"count": number})
    ended = (await stage.ending(run)).ended
    assert ended is not None
    assert ended.result is not None
    assert stage.log(run, "stderr") == [f"logged {number}"]
    assert stage.log(run, "stdout") == [f"printed {number}"], "a line that was not ended"
    return ended.result["pid"]


async def test_what_programs_write_is_in_the_log_in_its_order(stage: Stage) -> None:
    run = await stage.give("start_programs")
    assert (await stage.ending(run)).ended is not None
    assert stage.log(run) == ["before", "out", "err", "between", "to the stream", "after", "half a line"]
    assert stage.log(run, "stderr") == ["err"]
    assert stage.log(run, "log") == ["before", "after"]


async def test_copies_of_a_worker_print_like_programs_and_are_no_workers(stage: Stage) -> None:
    for _ in range(2):
        run = await stage.give("fork_some")
        ending = await stage.ending(run)
        assert ending.ended is not None
        assert ending.ended.result == {"copy": False}
        assert stage.log(run, "stdout") == ["printed by a child"]
        assert stage.log(run, "stderr") == ["logged by a child"]


async def test_a_handler_of_signals_may_print_at_any_moment(stage: Stage) -> None:
    stage.slow = 0.02  # so that signals come while a word is being sent
    run = await stage.give("print_at_signals", {"count": 50_000})
    ended = (await stage.ending(run)).ended
    assert ended is not None
    assert ended.outcome == "completed", stage.log(run)[-30:]
    assert stage.log(run, "log") == [f"line {number}" for number in range(50_000)]
    assert "alarm" in stage.log(run, "stdout")


async def test_the_last_words_of_a_worker_are_in_the_log(stage: Stage) -> None:
    run = await stage.give("die_of_an_assertion", secrets={"key": "s3cret!"})
    assert (await stage.ending(run)).ended is None
    said = stage.log(run, "stderr")
    assert "x.c:12: the key is s3cret!" in said, "masked where it is stored"
    assert "Fatal Python error: Aborted" in said
    assert any("in die_of_an_assertion" in line for line in said)


async def test_of_a_line_that_is_drawn_over_and_over_the_last_state_is_kept(stage: Stage) -> None:
    run = await stage.give("redraw", {"count": 50_000, "size": 80})
    await stage.ending(run)
    assert stage.log(run, "stdout")[-1] == "49999 " + "#" * 80
    assert len(stage.log(run)) == 1


async def test_what_c_libraries_print_is_in_the_log_of_their_own_run(stage: Stage) -> None:
    runs = [await stage.give("print_in_c", {"count": number}) for number in (1, 2)]
    for number, run in enumerate(runs, 1):
        await stage.ending(run)
        assert stage.log(run, "stdout") == [f"printed in C: {number}"]


async def test_a_program_waits_for_who_reads_what_it_writes(stage: Stage) -> None:
    stage.slow = 0.002
    run = await stage.give("pour", {"count": 200_000, "size": 200})
    ended = (await stage.ending(run, 60)).ended
    assert ended is not None
    assert ended.result is not None
    assert len(stage.log(run, "stdout")) == 200_000
    assert ended.result["peak"] < 100_000, "kB: the worker kept the lines to itself"


async def test_what_programs_write_counts_as_output(stage: Stage) -> None:
    run = await stage.give("pour", {"count": 100_000, "size": 100}, limits=RunLimits(output=1024 * 1024))
    ending = await stage.ending(run, 60)
    assert ending.ended is None or ending.ended.outcome != "completed"
    assert sum(len(line) + 1 for line in stage.log(run)) <= 1024 * 1024


async def test_a_run_that_closes_its_output_costs_no_worker(stage: Stage) -> None:
    assert (await stage.run("close_streams")).outcome == "completed"
    run = await stage.give("pour", {"count": 100_000, "size": 20})
    assert (await stage.ending(run, 60)).ended is not None
    assert len(stage.log(run, "stdout")) == 100_000, "more than its pipe holds"


async def test_lost_workers_are_replaced(stage: Stage) -> None:
    for _ in range(3):
        ending = await stage.ending(await stage.give("die"))
        assert ending.ended is None
    assert (await stage.run("nothing")).outcome == "completed"


async def test_workers_are_recycled_without_a_gap(tmp_path: Path) -> None:
    stage = new_stage(tmp_path, recycle_after=3)
    await stage.executor.start(stage.on_event, stage.on_end)
    runs = [await stage.give("nothing") for _ in range(200)]
    endings = [await stage.ending(run) for run in runs]
    assert len({ending.worker_id for ending in endings}) > 1
    assert all(ending.ended and ending.ended.outcome == "completed" for ending in endings)
    await until(lambda: len(stage.executor.workers()) == 1)
    await stage.executor.stop(1)
    assert worker_processes() == []


async def test_a_worker_that_is_to_go_takes_the_order_that_was_on_its_way(tmp_path: Path) -> None:
    """Between the look at who is idle and the order lies a commit, and in it a successor may become ready."""
    stage = new_stage(tmp_path, recycle_after=1)
    await stage.executor.start(stage.on_event, stage.on_end)
    first = await stage.ending(await stage.give("nothing"))
    await until(lambda: first.worker_id not in stage.executor.idle_workers())
    assert first.worker_id in {worker.id for worker in stage.executor.workers()}
    late = stage.order("nothing")
    stage.executor.execute(first.worker_id, late)
    assert (await stage.ending(late.run_id)).worker_id == first.worker_id
    await until(lambda: first.worker_id not in {worker.id for worker in stage.executor.workers()})
    await stage.executor.stop(1)
    assert worker_processes() == []


async def test_the_kill_of_one_run_does_not_meet_the_next(tmp_path: Path) -> None:
    """The grace ends just as the run does: until the keeper has looked for whom to kill, the worker gets no order."""
    stage = new_stage(tmp_path)
    await stage.executor.start(stage.on_event, stage.on_end)
    run = await stage.give("agent.drivers.command.run:run", {"command": "echo ready; exec sleep 60"}, kill_grace=0.0)
    await stage.ready(run)
    [member] = stage.executor._members.values()
    assert member._keeper.process is not None
    os.kill(member._keeper.process.pid, signal.SIGSTOP)
    stage.executor.cancel(run)
    with pytest.raises(AssertionError):
        await until(stage.executor.idle_workers, 0.5)
    os.kill(member._keeper.process.pid, signal.SIGCONT)
    assert (await stage.ending(run)).ended is not None
    after = await stage.run("agent.drivers.command.run:run", {"command": "echo through"})
    assert after.outcome == "completed", after.error
    await stage.executor.stop(1)
    assert worker_processes() == []


async def test_a_cancel_that_comes_when_a_run_is_over_does_not_meet_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder is being removed: it reads `running`, and somebody cancels it."""

    async def late(folder: str) -> None:
        stage.executor.cancel(Path(folder).name)
        await remove_folder(folder)

    monkeypatch.setattr(member_module, "remove_folder", late)
    over = await stage.give("tell", secrets={"key": "s3cret!"}, kill_grace=0.3)
    after = await stage.give("agent.drivers.command.run:run", {"command": "sleep 1; echo through"})
    assert (await stage.ending(over)).ended is not None
    ended = (await stage.ending(after)).ended
    assert ended is not None
    assert ended.outcome == "completed", ended.error


async def test_a_worker_that_cannot_follow_its_orders_any_more_is_replaced(stage: Stage) -> None:
    await until(stage.executor.idle_workers)
    [member] = stage.executor._members.values()
    member._link.write(b"no order\n")
    ending = await stage.ending(await stage.give("nothing"))
    if ending.worker_id == member.id:
        assert ending.ended is None, "lost, not waited for"
    assert (await stage.run("nothing")).outcome == "completed"


async def test_a_run_that_lowers_what_its_worker_may_open_ends(stage: Stage) -> None:
    limited = {"limits": {"open_files": 100}}
    assert (await stage.run("open_few", **limited)).outcome == "completed"
    assert (await stage.run("nothing", **limited)).outcome == "completed"


async def test_a_worker_that_moves_again_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "PULSES", 600)
    stage = new_stage(tmp_path)
    await stage.executor.start(stage.on_event, stage.on_end)
    await until(stage.executor.idle_workers)
    pid, told = stage.executor.workers()[0].pid, asyncio.Event()
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: not stage.executor.idle_workers())
    stage.executor.on_idle(told.set)
    os.kill(pid, signal.SIGCONT)
    await asyncio.wait_for(told.wait(), PATIENCE)
    assert stage.executor.idle_workers()
    await stage.executor.stop(0)


async def test_stop_lets_runs_finish_within_the_grace(tmp_path: Path) -> None:
    stage = new_stage(tmp_path)
    await stage.executor.start(stage.on_event, stage.on_end)
    run = await stage.give("flood", {"count": 50_000})
    await stage.executor.stop(20)
    assert stage.endings[run].ended is not None
    assert len(stage.log(run)) == 50_000
    assert worker_processes() == []
    assert stage.executor.idle_workers() == []


async def test_a_pool_whose_workers_cannot_start_backs_off_and_stops(tmp_path: Path) -> None:
    for python in ("/bin/false", "/no/such/python"):
        stage = new_stage(tmp_path, size=2, python=python)
        await stage.executor.start(stage.on_event, stage.on_end)
        await until(lambda stage=stage: stage.executor.workers() == [])
        assert stage.executor.idle_workers() == []
        await asyncio.wait_for(stage.executor.stop(0), PATIENCE)


async def test_a_sink_that_fails_does_not_stop_the_worker(tmp_path: Path) -> None:
    stage = new_stage(tmp_path)

    async def broken(*_: object) -> None:
        raise RuntimeError("the sink is broken")

    ends = asyncio.Event()

    async def on_end(worker_id: str, ended: Ended | None, message: RunMessage) -> None:
        await stage.on_end(worker_id, ended, message)
        if len(stage.endings) == 1:
            raise RuntimeError("the sink is broken")
        ends.set()

    await stage.executor.start(broken, on_end)
    for _ in range(2):
        await stage.give("flood")
    await asyncio.wait_for(ends.wait(), PATIENCE)
    await stage.executor.stop(0)


async def test_an_order_for_a_busy_worker_is_refused(stage: Stage) -> None:
    await stage.give("obey")
    worker = stage.executor.workers()[0]
    assert (worker.state, worker.job_name) == ("busy", "Job")
    with pytest.raises(RuntimeError, match="not idle"):
        stage.executor.execute(worker.id, stage.order("nothing"))
    stage.executor.cancel("no-such-run")


async def test_on_idle_tells_of_every_worker(tmp_path: Path) -> None:
    stage = new_stage(tmp_path, size=2)
    told = asyncio.Event()
    stage.executor.on_idle(lambda: told.set() if len(stage.executor.idle_workers()) == 2 else None)
    await stage.executor.start(stage.on_event, stage.on_end)
    await asyncio.wait_for(told.wait(), PATIENCE)
    assert {worker.state for worker in stage.executor.workers()} == {"idle"}
    await stage.executor.stop(0)
