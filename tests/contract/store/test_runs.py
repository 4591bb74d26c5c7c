from __future__ import annotations

from datetime import timedelta

import pytest

from agent.core.ports import Store
from agent.core.records import Fence, NewRun, Outcome, RunUpdate
from shared.clock import ManualClock
from shared.errors import InvalidInput, NotFound
from shared.filters import parse
from shared.ids import new_id
from shared.states import RunState
from tests.contract.store.making import MINUTE, NOW, Maker, completed, failed, fence, retrying


async def test_runs_are_numbered_in_the_order_given(store: Store, make: Maker) -> None:
    job = await make.job()
    new = [NewRun(new_id(), job.id, "api", None, NOW, original_run_id="old") for _ in range(600)]
    runs = await store.insert_runs(new, NOW)
    assert [run.id for run in runs] == [run.id for run in new]
    numbers = [run.number for run in runs]
    assert numbers == sorted(set(numbers))
    assert (runs[0].job_name, runs[0].owner_id, runs[0].original_run_id) == ("Orders", "anna-id", "old")
    assert await store.insert_runs([], NOW) == []


async def test_runs_of_no_job_or_no_revision_are_refused_whole(store: Store, make: Maker) -> None:
    job = await make.job()
    good = NewRun(new_id(), job.id, "api", None, NOW)
    for bad in (NewRun(new_id(), "nobody", "api", None, NOW), NewRun(new_id(), job.id, "api", None, NOW, revision=9)):
        with pytest.raises(NotFound):
            await store.insert_runs([good, bad], NOW)
    assert await make.runs() == []


async def test_an_update_shows_and_leaves_the_version(store: Store, make: Maker) -> None:
    claimed = await make.claimed(await make.job())
    step = {"position": 0, "key": "read", "title": "Read", "state": "running", "at": NOW}
    first = RunUpdate(
        fence(claimed), started_at=NOW + MINUTE, progress={"done": 1, "total": 4}, steps=[step], warnings=["a"]
    )
    ended = {**step, "state": "completed", "at": (NOW + MINUTE).isoformat(), "message": "done", "result": {"n": 1}}
    second = RunUpdate(fence(claimed), progress={"done": 3, "total": 4, "unit": "rows"}, steps=[ended], warnings=["b"])
    assert await store.update_runs([first, second], NOW) == []
    run = await make.read(claimed)
    assert (run.started_at, run.warnings, run.version) == (NOW + MINUTE, ["a", "b"], claimed.run.version)
    assert (run.progress.done, run.progress.total, run.progress.unit) == (3, 4, "rows")
    [read] = await store.steps(run.id)
    assert (read.state, read.started_at, read.finished_at) == ("completed", NOW, NOW + MINUTE)
    assert (read.message, read.result, read.attempt) == ("done", {"n": 1}, 1)
    await store.update_runs([RunUpdate(fence(claimed), steps=[{**ended, "state": "failed"}])], NOW)
    [again] = await store.steps(run.id)
    assert (again.state, again.started_at) == ("failed", NOW)


@pytest.mark.parametrize(("state", "shown"), [("failed", "failed"), ("cancelled", "cancelled"), ("retrying", "failed")])
async def test_a_step_that_nobody_ended_ends_with_its_attempt(
    store: Store, make: Maker, state: str, shown: str
) -> None:
    claimed, other = await make.claimed(await make.job()), await make.claimed(await make.job("Other"), "w2")
    step = {"position": 0, "key": "read", "title": "Read", "state": "completed", "at": NOW}
    read, write = step, {**step, "position": 1, "key": "write", "state": "running"}
    await store.update_runs([RunUpdate(fence(each), steps=[read, write]) for each in (claimed, other)], NOW)
    due = NOW + MINUTE if state == "retrying" else None
    await store.finish([Outcome(fence(claimed), state, NOW + MINUTE, retry_at=due)], NOW + MINUTE)
    found = [(each.state, each.finished_at) for each in await store.steps(claimed.run.id)]
    assert found == [("completed", NOW), (shown, NOW + MINUTE)]
    assert [each.state for each in await store.steps(other.run.id)] == ["completed", "running"]


async def test_what_a_driver_counts_and_says_never_holds_up_the_others(store: Store, make: Maker) -> None:
    job = await make.job()
    wild, tame = await make.claimed(job, "w1"), await make.claimed(job, "w2")
    updates = [
        RunUpdate(fence(wild), progress={"done": 10**30, "total": -(10**30), "note": "\ud800"}, warnings=["\udfff"]),
        RunUpdate(fence(tame), progress={"done": 1, "total": 2}),
    ]
    assert await store.update_runs(updates, NOW) == []
    assert (await make.read(tame)).progress.done == 1
    assert (await make.read(wild)).warnings == ["?"]
    await store.finish([failed(wild, "broken \ud800 text")], NOW)
    assert (await make.runs("broken"))[0].id == wild.run.id


async def test_a_stale_fence_writes_nothing(store: Store, make: Maker) -> None:
    claimed = await make.claimed(await make.job())
    held = fence(claimed)
    stale = [
        Fence(held.run_id, held.attempt + 1, held.worker_id),
        Fence(held.run_id, held.attempt, "other"),
        Fence("no run", 1, held.worker_id),
    ]
    updates = [RunUpdate(each, progress={"done": 9}, warnings=["x"], checkpoint={"x": 1}) for each in stale]
    assert await store.update_runs(updates, NOW) == stale
    run = await make.read(claimed)
    assert (run.progress.done, run.warnings) == (0, [])
    await store.finish([completed(claimed)], NOW)
    assert await store.update_runs([RunUpdate(held, progress={"done": 9})], NOW) == [held]


async def test_finishing_moves_the_run_and_closes_the_attempt(store: Store, make: Maker) -> None:
    job = await make.job()
    one, two = await make.claimed(job, "w1"), await make.claimed(job, "w2")
    end = NOW + MINUTE
    done, bad = await store.finish([completed(one, end, result={"rows": 3}), failed(two, at=end)], end)
    assert (done.state, done.finished_at, done.result, done.version) == (RunState.COMPLETED, end, {"rows": 3}, 3)
    assert bad.error is not None
    assert (bad.state, bad.error.message, bad.error.fingerprint) == (RunState.FAILED, "connection refused", "f1")
    [attempt] = await store.attempts(two.run.id)
    assert (attempt["attempt"], attempt["workerId"], attempt["claimedAt"], attempt["endedAt"]) == (1, "w2", NOW, end)
    assert (attempt["outcome"], attempt["error"]["kind"], attempt["evidence"]) == ("failed", "refused", [])


async def test_a_late_result_changes_nothing_and_is_kept(store: Store, make: Maker) -> None:
    lost = await make.claimed(await make.job(), "w1")
    await store.finish([retrying(lost, NOW)], NOW)
    [second] = await make.claim("w2")
    late = Outcome(fence(lost), "completed", NOW + MINUTE, result={"rows": 1})
    assert await store.finish([late], NOW + 2 * MINUTE) == []
    assert (await make.read(second)).state == RunState.RUNNING
    await store.finish([completed(second, result={"rows": 2})], NOW)
    assert await store.finish([completed(second, result={"rows": 9})], NOW) == []
    assert (await make.read(second)).result == {"rows": 2}
    first, last = await store.attempts(lost.run.id)
    [evidence] = first["evidence"]
    assert (evidence["outcome"], evidence["result"], evidence["workerId"]) == ("completed", {"rows": 1}, "w1")
    assert evidence["receivedAt"] == NOW + 2 * MINUTE
    assert [each["result"] for each in last["evidence"]] == [{"rows": 9}]


async def test_two_outcomes_of_one_fence_in_one_batch_the_first_counts(store: Store, make: Maker) -> None:
    claimed = await make.claimed(await make.job())
    [moved] = await store.finish([completed(claimed), failed(claimed)], NOW)
    assert moved.state == RunState.COMPLETED
    [attempt] = await store.attempts(moved.id)
    assert [each["outcome"] for each in attempt["evidence"]] == ["failed"]


async def test_an_outcome_of_an_unknown_run_is_nothing(store: Store, make: Maker) -> None:
    assert await store.finish([Outcome(Fence("no run", 1, "w"), "completed", NOW)], NOW) == []
    assert await store.finish([], NOW) == []


async def test_cancelling_ends_what_waits_and_marks_what_runs(store: Store, make: Maker) -> None:
    job = await make.job()
    running, back = await make.claimed(job, "w1"), await make.claimed(job, "w2")
    await store.finish([retrying(back, NOW + MINUTE)], NOW)
    pending = await make.run(job)
    done = await make.run(await make.job("Other"))
    ids = [running.run.id, back.run.id, pending.id, "no run"]
    changed = {run.id: run for run in await store.request_cancel(ids, "anna", NOW + MINUTE, NOW)}
    assert changed[pending.id].state == changed[back.run.id].state == RunState.CANCELLED
    assert changed[pending.id].finished_at == NOW
    marked = changed[running.run.id]
    assert (marked.state, marked.cancel_requested_at, marked.cancel_deadline_at) == (
        RunState.RUNNING,
        NOW,
        NOW + MINUTE,
    )
    assert marked.version == running.run.version
    assert await store.request_cancel([*ids], "bob", NOW + 2 * MINUTE, NOW + MINUTE) == []
    assert (await make.read(done)).state == RunState.PENDING
    assert [run.id for run in await make.runs('"cancelled by anna" -state:running', job_id=job.id)] == [
        pending.id,
        back.run.id,
    ]


async def test_a_page_of_runs_is_keyed_by_number(store: Store, make: Maker) -> None:
    job, other = await make.job(), await make.job("Other")
    runs = [await make.run(job) for _ in range(7)]
    await make.run(other)
    numbers = [run.number for run in runs]
    newest = await make.runs(job_id=job.id, limit=3)
    assert [run.number for run in newest] == numbers[:3:-1]
    older = await make.runs(job_id=job.id, limit=3, before=newest[-1].number)
    assert [run.number for run in older] == numbers[3:0:-1]
    newer = await make.runs(job_id=job.id, limit=2, after=older[-1].number)
    assert [run.number for run in newer] == [numbers[3], numbers[2]]
    assert len(await make.runs()) == 8
    assert await make.runs(job_id="nobody") == []


async def test_other_orders_put_what_has_no_value_last(store: Store, make: Maker) -> None:
    job = await make.job()
    slow, quick = await make.claimed(job, "w1"), await make.claimed(job, "w2")
    await store.finish([completed(slow, NOW + MINUTE), completed(quick, NOW + timedelta(seconds=1))], NOW)
    waiting = await make.run(job)
    for sort, order in (("dur", [quick, slow]), ("-dur", [slow, quick]), ("-finished", [slow, quick])):
        assert [run.id for run in await make.runs(sort=sort)] == [*(each.run.id for each in order), waiting.id]
    with pytest.raises(InvalidInput):
        await make.runs(sort="size")


async def test_runs_are_counted_by_state_and_by_filter(store: Store, make: Maker) -> None:
    job = await make.job()
    await store.finish([failed(await make.claimed(job))], NOW)
    await make.claimed(job)
    await make.run(job)
    counts = await store.count_by_state("main")
    assert counts == {"pending": 1, "running": 1, "retrying": 0, "completed": 0, "failed": 1, "cancelled": 0}
    assert sum((await store.count_by_state("main", parse("state:active", "run"))).values()) == 2
    assert sum((await store.count_by_state("other")).values()) == 0


async def test_a_run_of_another_account_is_not_there(store: Store, make: Maker) -> None:
    run = await make.run(await make.job())
    with pytest.raises(NotFound):
        await store.get_run("other", run.id)


async def test_durations_go_on_while_a_run_runs(store: Store, make: Maker, clock: ManualClock) -> None:
    await make.claimed(await make.job())
    assert await make.runs("dur>10m") == []
    clock.advance(11 * MINUTE)
    assert len(await make.runs("dur>10m")) == 1


async def test_warnings_without_end_are_counted(store: Store, make: Maker) -> None:
    claimed = await make.claimed(await make.job())
    for start in range(0, 250, 50):
        said = [f"row {number} is odd" for number in range(start, start + 50)]
        await store.update_runs([RunUpdate(fence(claimed), warnings=said)], NOW)
    warnings = (await make.read(claimed)).warnings
    assert warnings == [*(f"row {number} is odd" for number in range(100)), "150 more warnings are not kept"]
