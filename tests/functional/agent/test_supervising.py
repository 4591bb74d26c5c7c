"""What a run says reaches the store, whatever state the disk is in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent.core.records import RunUpdate
from agent.core.wire import Checkpointed, Logged, Progressed, RunMessage, Settling, StepChanged, Warned, WireLine
from agent.services.dispatcher import Dispatcher
from shared.errors import Unavailable
from shared.models import Progress, Run, RunError
from tests.functional.agent.stage import MINUTE, Bench, Stage
from tests.harness.telling import PATIENCE


class Disk:
    """Stands before some verbs of the store or the logs and can be full."""

    def __init__(self, owner: Any, *verbs: str) -> None:
        self.full = True
        for verb in verbs:
            setattr(owner, verb, self._guarded(getattr(owner, verb)))

    def _guarded(self, verb: Any) -> Any:
        async def guarded(*arguments: Any, **named: Any) -> Any:
            if self.full:
                raise Unavailable("the store cannot be written: the disk is full")
            return await verb(*arguments, **named)

        return guarded


async def _running(stage: Stage, *names: str) -> tuple[Bench, list[Run]]:
    runs = [await stage.core.jobs.run_now(stage.me, (await stage.job(name)).id) for name in names]
    bench = stage.man(Bench(*names))
    await stage.dispatch()
    return bench, runs


def _about(run: Run) -> dict[str, Any]:
    return {"run_id": run.id, "attempt": 1}


async def test_what_was_said_while_the_disk_was_full_is_not_lost(stage: Stage) -> None:
    _, [run] = await _running(stage, "w")
    supervisor = stage.agent.supervisor
    disk = Disk(stage.agent.sql, "update_runs")
    await supervisor.hear("w", Warned(**_about(run), text="first"))
    await supervisor.hear("w", Checkpointed(**_about(run), data={"at": 1}))
    await supervisor.hear("w", Progressed(**_about(run), progress=Progress(done=1, total=3)))
    with pytest.raises(Unavailable):
        await supervisor.poll()
    await supervisor.hear("w", Warned(**_about(run), text="second"))
    await supervisor.hear("w", Progressed(**_about(run), progress=Progress(done=2, total=3)))
    disk.full = False
    await supervisor.poll()
    told = await stage.core.runs.get(stage.me, run.id)
    assert told.warnings == ["first", "second"]
    assert told.progress.done == 2


async def test_one_update_that_the_store_refuses_harms_no_other(stage: Stage) -> None:
    _, [bad, good] = await _running(stage, "w1", "w2")
    supervisor = stage.agent.supervisor
    store = stage.agent.sql
    update = store.update_runs

    async def refusing(updates: list[RunUpdate], now: Any) -> Any:
        if any(each.fence.run_id == bad.id for each in updates):
            raise ValueError("cannot be stored")
        return await update(updates, now)

    store.update_runs = refusing  # type: ignore[method-assign, assignment]
    await supervisor.hear("w1", Warned(**_about(bad), text="bad"))
    await supervisor.hear("w2", Warned(**_about(good), text="good"))
    await supervisor.poll()
    assert (await stage.core.runs.get(stage.me, good.id)).warnings == ["good"]


async def test_an_end_waits_for_the_disk_with_all_last_words(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    bench, [run] = await _running(stage, "w")
    supervisor = stage.agent.supervisor
    disk = Disk(stage.agent.sql, "update_runs", "finish")
    await supervisor.hear("w", Warned(**_about(run), text="careful"))
    tries = []

    async def freed(seconds: float) -> None:
        if not seconds:  # whoever lets others go first
            return
        tries.append(seconds)
        assert supervisor.watches(run.id), "its lease is kept"
        disk.full = len(tries) < 3

    monkeypatch.setattr("agent.services.supervisor.asyncio.sleep", freed)
    await stage.end(bench.orders["w"], "w")
    ended = await stage.core.runs.get(stage.me, run.id)
    assert (ended.state, ended.warnings) == ("completed", ["careful"])
    assert tries == sorted(tries)
    assert not supervisor.watches(run.id)


async def test_a_stopping_agent_does_not_wait_for_a_full_disk(stage: Stage) -> None:
    bench, [run] = await _running(stage, "w")
    disk = Disk(stage.agent.sql, "update_runs", "finish")
    stage.agent.supervisor.hurry()
    await stage.end(bench.orders["w"], "w")
    disk.full = False
    assert (await stage.core.runs.get(stage.me, run.id)).state == "running", "the next agent finds it"


async def test_missing_log_lines_are_counted_in_the_log(stage: Stage) -> None:
    bench, [run] = await _running(stage, "w")
    supervisor = stage.agent.supervisor
    disk = Disk(stage.agent.logs, "append")
    lines = [WireLine(at=stage.clock.now(), text=f"line {number}") for number in range(3)]
    await supervisor.hear("w", Logged(**_about(run), lines=lines))
    await supervisor.hear("w", Logged(**_about(run), lines=lines[:1]))
    disk.full = False
    await supervisor.hear("w", Logged(**_about(run), lines=lines[2:]))
    page = await stage.core.runs.log(stage.me, run.id, 1, 100)
    assert [line.text for line in page.lines] == ["4 lines before this one could not be written", "line 2"]
    disk.full = True
    await supervisor.hear("w", Logged(**_about(run), lines=lines))
    await stage.end(bench.orders["w"], "w")
    assert (await stage.core.runs.get(stage.me, run.id)).warnings == ["3 lines of the log could not be written"]


async def test_a_run_whose_schedule_cannot_be_read_any_more_still_ends(stage: Stage) -> None:
    """The definition that was stored years ago names a zone that is gone."""
    job = await stage.minutely()
    await stage.tick()
    stage.sql("UPDATE job_revisions SET definition = replace(definition, '\"UTC\"', '\"Old/Zone\"')")
    bench = stage.man(Bench("w"))
    await stage.dispatch()
    await stage.end(bench.orders["w"], "w")
    assert [run.state for run in await stage.runs(job)] == ["completed"]


async def test_a_predecessors_run_is_rescued_whatever_its_schedule_says(stage: Stage) -> None:
    job = await stage.minutely(policies={"on_lost": "retry"})
    await stage.tick()
    stage.sql("UPDATE job_revisions SET definition = replace(definition, '\"UTC\"', '\"Old/Zone\"')")
    await stage.claim()
    stage.man(Bench("w"))
    assert await stage.agent.rescuer.rescue_predecessors() == 1
    assert [run.state for run in await stage.runs(job)] == ["retrying"]


async def test_words_of_a_worker_that_does_not_hold_the_run_count_nothing(stage: Stage) -> None:
    _, [run] = await _running(stage, "w")
    supervisor = stage.agent.supervisor
    step = StepChanged(**_about(run), position=1, key="k", title="t", state="running", at=stage.clock.now())
    await supervisor.hear("other", step)
    await supervisor.hear("w", step.model_copy(update={"attempt": 2}))
    await supervisor.end("other", None, RunMessage(**_about(run)))
    await supervisor.poll()
    assert await stage.core.runs.steps(stage.me, run.id) == []
    assert (await stage.core.runs.get(stage.me, run.id)).state == "running"


async def test_a_worker_that_waits_is_told_when_all_that_it_said_is_stored(stage: Stage) -> None:
    _, [run] = await _running(stage, "w")
    bench = stage.man(Bench("w"))
    supervisor = stage.agent.supervisor
    disk = Disk(stage.agent.sql, "update_runs")
    await supervisor.hear("w", Warned(**_about(run), text="first"))
    await supervisor.hear("w", Settling(**_about(run)))
    with pytest.raises(Unavailable):
        await supervisor.poll()
    assert bench.settled_runs == []
    disk.full = False
    await supervisor.poll()
    assert bench.settled_runs == [run.id]
    assert (await stage.core.runs.get(stage.me, run.id)).warnings == ["first"]
    await supervisor.hear("w", Warned(**_about(run), text="more"))
    await supervisor.poll()
    assert bench.settled_runs == [run.id], "it does not wait any more"


async def test_a_next_attempt_that_begins_before_the_end_of_the_last_is_told_is_watched(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk takes longer than the back-off, one commit ends an attempt and claims the next."""
    retry = {"attempts": 2, "backoff": "1 s"}
    run = await stage.core.jobs.run_now(stage.me, (await stage.job(policies={"retry": retry})).id)
    bench = stage.man(Bench("w1"))
    await stage.dispatch()
    append = stage.agent.logs.append

    async def slow(*arguments: Any) -> Any:
        stage.clock.advance(MINUTE)
        return await append(*arguments)

    monkeypatch.setattr(stage.agent.logs, "append", slow)
    bench.ids.append("w2")
    error = RunError(kind="refused", message="connection refused", transient=True, fingerprint="f")
    stage.duty(Dispatcher).start()
    await stage.end(bench.orders["w1"], "w1", "failed", error)
    async with asyncio.timeout(PATIENCE):
        while "w2" not in bench.orders:  # noqa: ASYNC110  # a bench tells nobody
            await asyncio.sleep(0)
    await stage.duty(Dispatcher).stop()
    assert stage.agent.supervisor.watches(run.id)
    await stage.end(bench.orders["w2"], "w2")
    assert (await stage.core.runs.get(stage.me, run.id)).state == "completed"


async def test_what_one_update_of_a_group_meets_alone_loses_none_of_the_others(stage: Stage) -> None:
    """The group is refused, and before all are written one by one the disk is full."""
    bench, [first, unlucky, last] = await _running(stage, "w1", "w2", "w3")
    supervisor, store = stage.agent.supervisor, stage.agent.sql
    update = store.update_runs

    async def failing(updates: list[RunUpdate], now: Any) -> Any:
        if len(updates) > 1:
            raise ValueError("cannot be stored together")
        if updates[0].fence.run_id == unlucky.id:
            raise Unavailable("the store cannot be written: the disk is full")
        return await update(updates, now)

    store.update_runs = failing  # type: ignore[method-assign, assignment]
    for worker, run in (("w1", first), ("w2", unlucky), ("w3", last)):
        await supervisor.hear(worker, Warned(**_about(run), text="careful"))
        await supervisor.hear(worker, Settling(**_about(run)))
    with pytest.raises(Unavailable):
        await supervisor.poll()
    assert bench.settled_runs == [first.id, last.id]
    store.update_runs = update  # type: ignore[method-assign]
    await supervisor.poll()
    assert bench.settled_runs == [first.id, last.id, unlucky.id]
    for run in (first, unlucky, last):
        assert (await stage.core.runs.get(stage.me, run.id)).warnings == ["careful"]
