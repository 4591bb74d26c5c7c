"""Whatever operators do with held fires, in whatever order: every moment keeps its one row, nothing runs twice, nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.records import FireRow, Held, NewRun, NextTurn
from agent.store import STORE_FILE, SqlStore, open_store
from shared.clock import ManualClock
from shared.ids import new_id
from shared.models import Fire, FireOutcome, FireReason, Job, Run
from tests.contract.store.making import MINUTE, NOW, Maker, completed
from tests.harness.long import examples

JOBS, EACH = 3, 6
DECIDED = {
    ("started", "caught_up"), ("missed", "discarded"), ("missed", "job_deleted"), ("skipped", "window_closed"),
    ("coalesced", "stands_for_later"),
}  # fmt: skip
HELD = {("held", "awaiting_operator"), ("held", "awaiting_turn")}

jobs = st.none() | st.integers(0, JOBS - 1)
moments = st.none() | st.integers(0, EACH)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("release"), jobs, moments, moments, st.booleans()),
        st.tuples(st.just("discard"), jobs, moments, moments),
        st.tuples(st.just("turns"), st.integers(1, 4)),
        st.tuples(st.just("stale_turns")),
        st.tuples(st.just("work")),
        st.tuples(st.sampled_from(["pause", "resume", "delete"]), st.integers(0, JOBS - 1)),
    ),
    min_size=4,
    max_size=25,
)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Job]]:
    """A store in which every fire of every job waits for an operator; each example gets a copy."""
    folder = tmp_path_factory.mktemp("held")
    return folder, asyncio.run(_hold(folder / STORE_FILE))


@examples(8)
@given(done=acts)
def test_every_moment_keeps_its_one_row_and_runs_at_most_once(
    held: tuple[Path, list[Job]], done: list[tuple[Any, ...]]
) -> None:
    folder, made = held
    with TemporaryDirectory() as copy:
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        asyncio.run(_play(Path(copy) / STORE_FILE, made, done))


async def _hold(path: Path) -> list[Job]:
    store = await open_store(path, clock=ManualClock(NOW), new_id=new_id)
    await store.ensure_account("main", "anna-id", "anna", NOW)
    make = Maker(store)
    made = [await make.job(f"Job {number}", next_fire_at=NOW) for number in range(JOBS)]
    for job in made:
        await make.settle(job, *(FireRow(_at(n), FireOutcome.HELD, FireReason.AWAITING_OPERATOR) for n in range(EACH)))
    await store.close()
    return made


async def _play(path: Path, made: list[Job], done: list[tuple[Any, ...]]) -> None:
    store = await open_store(path, clock=ManualClock(NOW), new_id=new_id)
    try:
        world = World(store, Maker(store), made)
        for act, *more in done:
            await getattr(world, act)(*more)
            await world.check()
        await world.finish()
    finally:
        await store.close()


def _at(number: int) -> Any:
    return NOW - timedelta(hours=1) + number * MINUTE


@dataclass
class World:
    store: SqlStore
    make: Maker
    jobs: list[Job]
    deleted: set[int] = field(default_factory=set)
    turned: list[tuple[NextTurn, NewRun]] = field(default_factory=list)
    before: dict[tuple[str, Any], Fire] = field(default_factory=dict)

    async def release(self, job: int | None, since: int | None, until: int | None, latest: bool) -> None:
        which = self._which(job, since, until)
        first = await self.store.release(which, "anna", NOW, latest_only=latest)
        again = await self.store.release(which, "bert", NOW, latest_only=latest)
        assert (again.released, again.coalesced, again.closed, again.left) == (0, 0, 0, first.left)

    async def discard(self, job: int | None, since: int | None, until: int | None) -> None:
        which = self._which(job, since, until)
        await self.store.discard(which, "anna", NOW)
        assert (await self.store.discard(which, "bert", NOW)).discarded == 0

    async def turns(self, limit: int) -> None:
        found = await self.store.next_turns(limit)
        self.turned += [
            (turn, NewRun(new_id(), turn.job_id, "catch_up", turn.fire_at, NOW, chained=True)) for turn in found
        ]
        await self.store.take_turns(self.turned[-len(found) :] if found else [], NOW)

    async def stale_turns(self) -> None:
        """Somebody acts on what was true long ago."""
        assert await self.store.take_turns(self.turned, NOW) == []

    async def work(self) -> None:
        for claimed in await self.make.claim("w1", "w2", "w3", "w4"):
            await self.store.finish([completed(claimed)], NOW)

    async def pause(self, job: int) -> None:
        if job not in self.deleted:
            await self.store.set_paused(self.jobs[job].id, NOW, None, NOW)

    async def resume(self, job: int) -> None:
        if job not in self.deleted:
            await self.store.set_paused(self.jobs[job].id, None, None, NOW)

    async def delete(self, job: int) -> None:
        if job not in self.deleted:
            self.deleted.add(job)
            await self.store.delete_job(self.jobs[job].id, None, NOW)

    async def check(self) -> None:
        rows, runs = await self._rows(), await self.make.runs()
        assert sorted((row.job_id, row.fire_at) for row in rows) == sorted(
            (job.id, _at(number)) for job in self.jobs for number in range(EACH)
        )
        assert {(str(row.outcome), str(row.reason)) for row in rows} <= DECIDED | HELD
        _check_runs(rows, runs)
        for row in rows:
            earlier = self.before.get((row.job_id, row.fire_at))
            if earlier is not None and earlier.outcome is not FireOutcome.HELD:
                assert row == earlier, "what was decided stays so"
            self.before[row.job_id, row.fire_at] = row
        waiting = sum(item.waiting + item.released for item in await self.store.backlog("main"))
        assert waiting == sum(row.outcome is FireOutcome.HELD for row in rows)

    async def finish(self) -> None:
        """In the end all that was not given up has run."""
        for number in range(JOBS):
            await self.resume(number)
        await self.store.release(Held("main"), "anna", NOW, latest_only=False)
        for _ in range(JOBS * EACH + 1):
            await self.work()
            await self.turns(JOBS)
        await self.check()
        assert all(row.outcome is not FireOutcome.HELD for row in await self._rows())

    async def _rows(self) -> list[Fire]:
        return await self.store.list_fires("main", limit=200)

    def _which(self, job: int | None, since: int | None, until: int | None) -> Held:
        ids = None if job is None else (self.jobs[job].id,)
        return Held("main", ids, None if since is None else _at(since), None if until is None else _at(until))


def _check_runs(rows: list[Fire], runs: list[Run]) -> None:
    started = {row.run_id: (row.job_id, row.fire_at) for row in rows if row.outcome is FireOutcome.STARTED}
    assert {run.id: (run.job_id, run.fire_at) for run in runs} == started
    active = Counter(run.job_id for run in runs if run.finished_at is None)
    assert all(count == 1 for count in active.values()), "one run of a job after the other"
    newest = {(row.job_id, row.fire_at) for row in rows}
    standing = [row for row in rows if row.outcome is FireOutcome.COALESCED]
    assert all((row.job_id, row.stands_in_fire_at) in newest for row in standing)
