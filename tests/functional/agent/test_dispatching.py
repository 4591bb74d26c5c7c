"""From a claimed run to a worker, and everything that can come between."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from agent.core.records import ClaimedRun
from agent.core.wire import Order
from agent.services.canceller import Canceller
from agent.services.dispatcher import _LONGEST_REST, Dispatcher
from agent.store.engine import prepared, writer
from shared.errors import Unavailable
from shared.models import Run, RunError, SecretInput
from tests.functional.agent.stage import MINUTE, Bench, Stage


class Meanwhile:
    """Ordering, in which something happens just before an order is made."""

    def __init__(self, stage: Stage, happens: Any) -> None:
        self._real = stage.duty(Dispatcher)._ordering
        self._happens = happens
        stage.duty(Dispatcher)._ordering = self  # type: ignore[assignment]

    async def order(self, claimed: ClaimedRun) -> tuple[Order, frozenset[str]]:
        await self._happens()
        return await self._real.order(claimed)


class Once:
    """Raises the first time."""

    def __init__(self, error: Exception) -> None:
        self._error: Exception | None = error

    async def __call__(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error


@pytest.fixture
async def dispatching(stage: Stage) -> AsyncIterator[Dispatcher]:
    """The duty at work by itself, as in an agent."""
    dispatcher = stage.duty(Dispatcher)
    yield dispatcher
    await dispatcher.stop()


async def _gets(bench: Bench, worker: str) -> Any:
    """Well before the duty would look again by itself."""
    async with asyncio.timeout(_LONGEST_REST / 2):
        while worker not in bench.orders:  # noqa: ASYNC110  # a bench tells nobody
            await asyncio.sleep(0)
    return bench.orders[worker]


async def test_a_run_that_comes_while_another_is_handed_over_is_not_left_lying(
    stage: Stage, dispatching: Dispatcher
) -> None:
    """It was stored after the claim, with a place left, while the dispatcher was busy."""
    job = await stage.job()
    bench = stage.man(Bench("w1", "w2"))
    later: list[Run] = []

    async def submit() -> None:
        if not later:
            later.append(await stage.core.jobs.run_now(stage.me, (await stage.job("later")).id))

    Meanwhile(stage, submit)
    dispatching.start()
    run = await stage.core.jobs.run_now(stage.me, job.id)
    assert (await _gets(bench, "w1")).run_id == run.id
    assert (await _gets(bench, "w2")).run_id == later[0].id


async def test_a_retry_whose_moment_passes_while_it_is_stored_is_not_left_lying(
    stage: Stage, dispatching: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk takes longer than the pause between two attempts; the claim that rode along came too soon for it."""
    job = await stage.job(policies={"retry": {"attempts": 2, "backoff": "1 s"}})
    bench = stage.man(Bench("w"))
    await dispatching.poll()  # it knows what is due later: nothing
    dispatching.start()
    run = await stage.core.jobs.run_now(stage.me, job.id)
    order = await _gets(bench, "w")
    bench.orders.clear()
    error = RunError(kind="refused", message="connection lost", transient=True, fingerprint="f")
    _slow_disk_at_the_end(stage, monkeypatch)
    await stage.end(order, "w", "failed", error)
    again = await _gets(bench, "w")
    assert (again.run_id, again.attempt) == (run.id, 2)


def _slow_disk_at_the_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit that holds the end of an attempt takes a minute."""
    sql, finish = stage.agent.sql, stage.agent.sql.finish

    async def wait_for_the_disk() -> None:
        await sql._writer.submit(lambda _connection: stage.clock.advance(MINUTE))

    async def finish_slowly(*given: Any) -> Any:
        moved, _ = await asyncio.gather(finish(*given), wait_for_the_disk())
        return moved

    monkeypatch.setattr(sql, "finish", finish_slowly)


async def test_a_cancel_while_the_order_is_made_ends_the_run(stage: Stage) -> None:
    """The executor does not know the run yet, so it cannot cancel it."""
    job = await stage.job()
    run = await stage.core.jobs.run_now(stage.me, job.id)
    bench = stage.man(Bench("w"))
    stage.agent.sql.subscribe(Canceller(bench).hear)  # type: ignore[arg-type]
    Meanwhile(stage, lambda: stage.core.runs.cancel(stage.me, run.id))
    await stage.dispatch()
    assert (await stage.core.runs.get(stage.me, run.id)).state == "cancelled"
    assert bench.orders == {}


class PreparingBench(Bench):
    """Takes an order while its claim is being committed; `leaves`: it is gone before the word."""

    def __init__(self, *ids: str, leaves: bool = False) -> None:
        super().__init__(*ids)
        self.prepared: list[Any] = []
        self.said: list[str] = []
        self.decided: list[bool] = []
        self._leaves = leaves
        self.has_prepared = threading.Event()

    def prepare(self, worker_id: str, order: Any, begun: Callable[[], None]) -> Callable[[], None]:
        self.prepared.append((worker_id, order))
        self._begun = begun
        self.has_prepared.set()
        return lambda: self.said.append(order.run_id)

    def decide_prepared(self, worker_id: str, *, begin: bool) -> None:
        self.decided.append(begin)
        if self._leaves:
            self.ids.remove(worker_id)
        elif begin:
            self.orders[worker_id] = self.prepared[-1][1]
            self._begun()


async def test_a_run_alone_is_prepared_and_begun_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store's own thread says the word, and the loop hears of it."""

    def commit(connection: sa.Connection) -> None:
        assert bench.has_prepared.wait(10)
        prepared.commit(connection)

    run = await stage.core.jobs.run_now(stage.me, (await stage.job()).id)
    bench = PreparingBench("w1", "w2")
    stage.man(bench)
    with monkeypatch.context() as slow:
        slow.setattr(writer, "commit", commit)
        await stage.dispatch()
    [(worker, order)] = bench.prepared
    assert (order.run_id, bench.decided, [*bench.orders]) == (run.id, [True], [worker])
    assert bench.said == [run.id]
    assert stage.agent.supervisor.watches(run.id)
    await stage.end(order, worker)
    assert (await stage.core.runs.get(stage.me, run.id)).state == "completed"


async def test_several_at_once_are_handed_over_one_by_one(stage: Stage) -> None:
    job = await stage.job(policies={"overlap": "allow"})
    runs = [await stage.core.jobs.run_now(stage.me, job.id) for _ in range(2)]
    bench = PreparingBench("w1", "w2")
    stage.man(bench)
    await stage.dispatch()
    assert (bench.prepared, bench.decided) == ([], [])
    assert {order.run_id for order in bench.orders.values()} == {run.id for run in runs}


async def test_a_worker_that_leaves_before_the_word_leaves_its_run_to_the_next(stage: Stage) -> None:
    run = await stage.core.jobs.run_now(stage.me, (await stage.job()).id)
    bench = PreparingBench("gone", leaves=True)
    stage.man(bench)
    await stage.dispatch()
    assert ([*bench.orders], bench.decided) == ([], [True])
    assert (await stage.core.runs.get(stage.me, run.id)).state == "retrying"
    stage.man(Bench("next"))
    await stage.dispatch()
    assert stage.agent.supervisor.watches(run.id)


async def test_a_claim_that_is_not_stored_begins_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_connection: Any) -> None:
        raise OperationalError("COMMIT", None, Exception("disk full"))

    run = await stage.core.jobs.run_now(stage.me, (await stage.job()).id)
    bench = PreparingBench("w")
    stage.man(bench)
    with monkeypatch.context() as full:
        full.setattr(writer, "commit", fail)
        with pytest.raises(Unavailable):
            await stage.duty(Dispatcher).poll()
    assert ([*bench.orders], bench.decided) == ([], [False])
    assert not stage.agent.supervisor.watches(run.id)
    with pytest.raises(Unavailable):  # the claim that rode along fails by itself
        await stage.duty(Dispatcher).poll()
    await stage.dispatch()
    assert bench.orders["w"].run_id == run.id


async def test_what_needs_a_secret_is_not_prepared(stage: Stage) -> None:
    """It is looked up for each run, as it is when the run begins."""
    await stage.core.secrets.put(stage.me, "token", SecretInput(value="s"))
    job = await stage.job(data={"command": ["true"], "env": {"TOKEN": {"secret": "token"}}})
    run = await stage.core.jobs.run_now(stage.me, job.id)
    bench = PreparingBench("w")
    stage.man(bench)
    await stage.dispatch()
    assert bench.prepared == []
    assert bench.orders["w"].run_id == run.id


async def test_a_worker_that_went_away_before_the_order_came(stage: Stage) -> None:
    job = await stage.job(policies={"on_lost": "fail", "retry": {"attempts": 1}})
    run = await stage.core.jobs.run_now(stage.me, job.id)
    bench = stage.man(Bench("gone"))

    async def lose() -> None:
        bench.ids[:] = ["next"]

    Meanwhile(stage, lose)
    await stage.dispatch()
    assert bench.orders["next"].run_id == run.id
    await stage.end(bench.orders["next"], "next")
    assert (await stage.core.runs.get(stage.me, run.id)).state == "completed"
    assert not stage.agent.supervisor.watches(run.id)
    told = await stage.core.runs.attempts(stage.me, run.id)
    assert [each["outcome"] for each in told] == ["retrying", "completed"]


async def test_a_store_that_cannot_be_read_for_a_moment_fails_no_run(stage: Stage) -> None:
    job = await stage.job()
    run = await stage.core.jobs.run_now(stage.me, job.id)
    bench = stage.man(Bench("w"))

    Meanwhile(stage, Once(Unavailable("the store cannot be read: disk I/O error")))
    await stage.dispatch()
    waiting = await stage.core.runs.get(stage.me, run.id)
    assert waiting.state == "retrying"
    assert "disk I/O error" in waiting.error.message
    stage.clock.advance(MINUTE)
    await stage.dispatch()
    assert bench.orders["w"].run_id == run.id


async def test_a_fault_of_our_own_fails_its_run_and_no_other(stage: Stage) -> None:
    first, second = [await stage.core.jobs.run_now(stage.me, (await stage.job(name)).id) for name in ("a", "b")]
    bench = stage.man(Bench("w1", "w2"))

    Meanwhile(stage, Once(KeyError("secret-value")))
    await stage.dispatch()
    failed = await stage.core.runs.get(stage.me, first.id)
    assert (failed.state, failed.error.kind) == ("failed", "not_startable")
    assert "secret-value" not in failed.error.message
    assert [order.run_id for order in bench.orders.values()] == [second.id]


async def test_an_order_that_cannot_be_written_fails_its_run_and_no_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [await stage.core.jobs.run_now(stage.me, (await stage.job(name)).id) for name in ("a", "b")]
    bench = stage.man(Bench("w1", "w2"))
    execute = bench.execute

    def picky(worker_id: str, order: Order) -> None:
        if order.run_id == first.id:
            raise ValueError("not JSON")
        execute(worker_id, order)

    monkeypatch.setattr(bench, "execute", picky)
    await stage.dispatch()
    failed = await stage.core.runs.get(stage.me, first.id)
    assert failed.error is not None
    assert (failed.state, failed.error.kind) == ("failed", "not_startable")
    assert [order.run_id for order in bench.orders.values()] == [second.id]


async def test_a_refusal_that_cannot_be_stored_yet_is_stored_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await stage.job()
    run = await stage.core.jobs.run_now(stage.me, job.id)
    stage.man(Bench("w"))
    del stage.core.drivers._manifests["command"]
    finish = stage.agent.sql.finish

    async def full(*_: Any) -> Any:
        raise Unavailable("the store cannot be written: the disk is full")

    monkeypatch.setattr(stage.agent.sql, "finish", full)
    with pytest.raises(Unavailable):
        await stage.dispatch()
    monkeypatch.setattr(stage.agent.sql, "finish", finish)
    await stage.dispatch()
    assert (await stage.core.runs.get(stage.me, run.id)).state == "failed"


async def test_a_vanished_driver_fails_its_runs_with_the_reason_and_stops_nothing(stage: Stage) -> None:
    job = await stage.minutely()
    stage.man(Bench("w"))
    del stage.core.drivers._manifests["command"]
    for _ in range(2):
        await stage.tick()
        await stage.dispatch()
    assert [run.state for run in await stage.runs(job)] == ["failed", "failed"]
    assert "no job type 'command'" in (await stage.runs(job))[0].error.message  # type: ignore[union-attr]
    told = (await stage.core.jobs.explain(stage.me, job.id)).sentences
    assert told[1] == "Its job type 'command' is not installed here: its runs fail until it is."
    await stage.core.jobs.pause(stage.me, job.id)
    await stage.core.jobs.resume(stage.me, job.id)
    await stage.core.jobs.delete(stage.me, job.id, None)


async def test_a_secret_that_was_deleted_fails_the_run_with_its_name(stage: Stage) -> None:
    await stage.core.secrets.put(stage.me, "key", SecretInput(value="s3cret-value"))
    job = await stage.job(data={"command": ["true"], "env": {"KEY": {"secret": "key"}}})
    await stage.core.secrets.delete(stage.me, "key")
    run = await stage.core.jobs.run_now(stage.me, job.id)
    stage.man(Bench("w"))
    await stage.dispatch()
    failed = await stage.core.runs.get(stage.me, run.id)
    assert (failed.state, failed.error.kind, failed.attempt) == ("failed", "not_startable", 1)
    assert "no secret 'key'" in failed.error.message


async def test_priority_then_age_and_keys_decide_who_runs(stage: Stage) -> None:
    keyed = {"concurrency": {"key": "k", "limit": 1}}
    names = {
        "low": {"priority": -1},
        "first": {**keyed},
        "second": {**keyed},
        "high": {"priority": 5},
    }
    runs = {}
    for name, policies in names.items():
        job = await stage.job(name, policies=policies)
        runs[(await stage.core.jobs.run_now(stage.me, job.id)).id] = name
    bench = stage.man(Bench("w1", "w2", "w3", "w4"))
    await stage.dispatch()
    assert [runs[order.run_id] for order in bench.orders.values()] == ["high", "first", "low"]
    held = next(run for run, name in runs.items() if name == "second")
    assert (await stage.core.runs.get(stage.me, held)).waiting_for == "key k: 1 of 1 running"


@pytest.mark.parametrize("clock", [timedelta(days=-1), timedelta(days=1)])
async def test_a_clock_that_is_set_loses_no_run_under_way(stage: Stage, clock: timedelta) -> None:
    job = await stage.job()
    run = await stage.core.jobs.run_now(stage.me, job.id)
    bench = stage.man(Bench("w"))
    await stage.dispatch()
    stage.clock.set_wall(stage.clock.now() + clock)
    await stage.agent.rescuer.poll()
    assert (await stage.core.runs.get(stage.me, run.id)).state == "running"
    await stage.end(bench.orders["w"], "w")
    assert (await stage.core.runs.get(stage.me, run.id)).state == "completed"


async def test_a_run_that_was_to_be_cancelled_is_not_tried_again(stage: Stage) -> None:
    """TERM made it fail, with an error that is worth a retry elsewhere."""
    job = await stage.job()
    run = await stage.core.jobs.run_now(stage.me, job.id)
    bench = stage.man(Bench("w"))
    await stage.dispatch()
    asked = await stage.core.runs.cancel(stage.me, run.id)
    assert asked.cancel_deadline_at is not None
    again = await stage.core.runs.cancel(stage.me, run.id)
    assert (again.version, again.cancel_requested_at) == (asked.version, asked.cancel_requested_at)
    error = RunError(kind="refused", message="connection lost", transient=True, fingerprint="f")
    await stage.end(bench.orders["w"], "w", "failed", error)
    assert (await stage.core.runs.get(stage.me, run.id)).state == "cancelled"


async def test_a_retry_is_not_planned_beyond_the_window_and_says_so(stage: Stage) -> None:
    end = (stage.clock.now() + 2 * MINUTE).isoformat()
    job = await stage.minutely(end_on=end, policies={"retry": {"attempts": 3, "backoff": "1 hour"}})
    await stage.tick()
    bench = stage.man(Bench("w"))
    await stage.dispatch()
    error = RunError(kind="exit_status", message="exit status 75", transient=True, fingerprint="f")
    await stage.end(bench.orders["w"], "w", "failed", error)
    [run] = await stage.runs(job)
    assert run.state == "failed"
    assert run.error is not None
    assert run.error.message == "exit status 75; not tried again: the job's window closes"


async def test_a_run_by_hand_may_be_tried_again_after_the_window(stage: Stage) -> None:
    job = await stage.minutely(end_on=(stage.clock.now() + MINUTE).isoformat())
    stage.clock.advance(2 * MINUTE)
    run = await stage.core.jobs.run_now(stage.me, job.id)
    bench = stage.man(Bench("w"))
    await stage.dispatch()
    error = RunError(kind="exit_status", message="exit status 75", transient=True, fingerprint="f")
    await stage.end(bench.orders["w"], "w", "failed", error)
    assert (await stage.core.runs.get(stage.me, run.id)).state == "retrying"
