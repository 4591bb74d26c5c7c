"""Any order of events: what operators, agents and their workers may ask of the store, drawn by Hypothesis.

Each rule says what its own act must have done; what must be true at all times is the witness's to say.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.core.records import (
    ClaimedRun,
    Fence,
    FireRow,
    JobChange,
    NewJob,
    NewRun,
    Outcome,
    RunUpdate,
    ScheduleMarks,
    SettledJob,
)
from agent.store import SqlStore
from agent.store.types import to_micros
from shared.clock import ManualClock
from shared.ids import new_id
from shared.models import FireOutcome, FireReason, JobInput, RunError
from shared.states import FINAL
from tests.property.store.agents import WORKERS, Agent
from tests.property.store.rows import Row, Rows
from tests.property.store.witness import Witness

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEASE = timedelta(seconds=60)
LIMITS = {"one": 1, "two": 2}
"""Concurrency keys, and how many runs may run with each."""
T = TypeVar("T")

_any = st.integers(0, 999)
"""Which of those that there are."""
_keys = st.sampled_from([None, None, *LIMITS])
_priorities = st.integers(-1, 1)
_windows = st.none() | st.integers(1, 6)
_ends = st.sampled_from(["completed", "failed", "cancelled", "retrying"])
_fates = st.sampled_from(["started", "started", "chained", "skipped", "missed"])


class AnyOrder(RuleBasedStateMachine):
    """Two agents with three workers each, on one file."""

    template: Path
    """A store without jobs, copied for each example."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(NOON)
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="jobdeck-any-order-", dir=_memory()))
        path = self.folder / "store.db"
        shutil.copyfile(self.template, path)
        self.rows = Rows(path)
        self.witness = Witness(self.rows)
        self.agents = [Agent(name, path, self.clock) for name in ("anna", "berta")]
        self.jobs: list[str] = []
        self.fences: list[Fence] = []
        """All that were ever given, whether or not they hold."""
        self.decisions: list[SettledJob] = []

    @initialize(
        jobs=st.lists(st.tuples(_keys, _priorities, _windows), min_size=1, max_size=3),
        runs=st.lists(st.tuples(_any, st.booleans()), min_size=1, max_size=5),
    )
    def begin(self, jobs: list[tuple[str | None, int, int | None]], runs: list[tuple[int, bool]]) -> None:
        for agent in self.agents:
            self.do(agent.start())
        self.do(self.agents[0].store.ensure_account("main", "anna-id", "anna", NOON))
        for job in jobs:
            self.create(*job, by=0)
        for which, chained in runs:
            self.ask_for_runs(which=which, count=1, chained=chained, wait=0, by=0)

    def teardown(self) -> None:
        for agent in self.agents:
            if hasattr(agent, "store"):
                self.do(agent.stop())
        self.rows.close()
        self.loop.close()
        shutil.rmtree(self.folder)

    # -- what operators ask --------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.jobs) < 4)
    @rule(key=_keys, priority=_priorities, window=_windows, by=_any)
    def create(self, key: str | None, priority: int, window: int | None, by: int) -> None:
        number = len(self.jobs)
        given = _definition(number, key, priority)
        end = None if window is None else self.now + window * MINUTE
        new = NewJob(new_id(), "main", "anna-id", f"job-{number}", given, self.marks(end))
        self.jobs.append(self.do(self.agent(by).store.insert_job(new, self.now)).id)

    @precondition(lambda self: self.jobs)
    @rule(which=_any, key=_keys, by=_any)
    def replace(self, which: int, key: str | None, by: int) -> None:
        job = self.job(which)
        if job["deleted_at"] is None:
            given = _definition(self.jobs.index(job["id"]), key, 0)
            change = JobChange(job["id"], given, self.marks(None), "anna-id")
            self.do(self.agent(by).store.replace_job(change, None, self.now))
            assert self.job(which)["version"] == job["version"] + 1

    @precondition(lambda self: self.jobs)
    @rule(which=_any, pause=st.booleans(), by=_any)
    def pause(self, which: int, pause: bool, by: int) -> None:
        job = self.job(which)
        if job["deleted_at"] is None:
            since = self.now if pause else None
            self.do(self.agent(by).store.set_paused(job["id"], since, self.now + MINUTE, self.now))

    @precondition(lambda self: self.jobs)
    @rule(which=_any, by=_any)
    def delete(self, which: int, by: int) -> None:
        job = self.job(which)
        if job["deleted_at"] is None:
            self.do(self.agent(by).store.delete_job(job["id"], None, self.now))
            assert not [run for run in self.runs_of(job) if run["state"] in ("pending", "retrying")]

    @precondition(lambda self: self.living())
    @rule(which=_any, count=st.integers(1, 3), chained=st.booleans(), wait=st.integers(0, 90), by=_any)
    def ask_for_runs(self, which: int, count: int, chained: bool, wait: int, by: int) -> None:
        """By hand, or again one that was there before."""
        job = _one(self.living(), which)
        before = self.runs_of(job)
        original = before[-1]["id"] if before and wait % 2 else None
        due = self.now + timedelta(seconds=wait)
        new = [
            NewRun(new_id(), job["id"], "api", None, due, chained=chained, original_run_id=original)
            for _ in range(count)
        ]
        created = self.do(self.agent(by).store.insert_runs(new, self.now))
        assert [run.id for run in created] == [run.id for run in new]

    @precondition(lambda self: self.rows.runs())
    @rule(which=st.lists(_any, min_size=1, max_size=4), delay=st.none() | st.integers(1, 30), by=_any)
    def cancel(self, which: list[int], delay: int | None, by: int) -> None:
        asked = self.some_runs(which)
        due = None if delay is None else self.now + timedelta(seconds=delay)
        self.do(self.agent(by).store.request_cancel([run["id"] for run in asked], "anna", self.now, self.now, due=due))
        for run in asked:
            now = self.run(run["id"])
            if run["state"] in ("pending", "retrying"):
                bears = now["state"] == run["state"] and now["cancel_due_at"] is not None
                assert bears if due is not None else now["state"] == "cancelled"
            elif run["state"] == "running":
                assert (now["state"], now["version"]) == ("running", run["version"])
                assert now["cancel_requested_at"] is not None

    @precondition(lambda self: self.leaving())
    @rule(which=st.lists(_any, min_size=1, max_size=4), by=_any)
    def take_back_cancels(self, which: list[int], by: int) -> None:
        asked = self.some_runs(which)
        back = self.do(self.agent(by).store.withdraw_cancels([run["id"] for run in asked], self.now))
        assert {run.id for run in back} == {run["id"] for run in asked if run["cancel_due_at"] is not None}
        assert all(self.run(run.id)["cancel_requested_at"] is None for run in back)

    # -- what time brings ----------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 61, 30, 200]))
    def pass_time(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @precondition(lambda self: self.jobs)
    @rule(
        which=_any, fates=st.lists(_fates, min_size=1, max_size=3), replaces=st.booleans(), by=_any, keep=st.booleans()
    )
    def fire(self, which: int, fates: list[str], replaces: bool, by: int, keep: bool) -> None:
        """A decision on the job's next moments, whatever the rules would say; stored at once, or kept for later."""
        job = self.job(which)
        moment = self.now.replace(second=0) - len(fates) * MINUTE
        rows = [self.fire_row(job["id"], moment + number * MINUTE, fate) for number, fate in enumerate(fates, 1)]
        self.decisions.append(
            SettledJob(job["id"], job["version"], rows, self.now, self.now + MINUTE, cancel_running=replaces)
        )
        if not keep:
            self.settle([len(self.decisions) - 1], by)

    @precondition(lambda self: self.decisions)
    @rule(which=st.lists(_any, min_size=1, max_size=3), by=_any)
    def settle(self, which: list[int], by: int) -> None:
        """Some of the decisions, the same ones again too: what is decided stays, what has moved is left alone."""
        given = [_one(self.decisions, each) for each in which]
        decided = {(row["job_number"], row["fire_at"]) for row in self.rows.fires()}
        jobs = self.rows.jobs()
        wanted: list[str] = []
        for decision in given:
            job = jobs[decision.job_id]
            for row in decision.rows if job["deleted_at"] is None and job["version"] == decision.version else ():
                moment = (job["number"], to_micros(row.fire_at))
                if moment not in decided and row.run is not None:
                    wanted.append(row.run.id)
                decided.add(moment)
        created = self.do(self.agent(by).store.settle(given, self.now))
        assert sorted(run.id for run in created) == sorted(wanted)

    @precondition(lambda self: self.leaving())
    @rule(by=_any)
    def carry_out_cancels(self, by: int) -> None:
        due = [run["id"] for run in self.leaving() if run["cancel_due_at"] <= self.micros]
        done = self.do(self.agent(by).store.carry_out_cancels(self.now, 100))
        assert sorted(run.id for run in done) == sorted(due)
        assert all(self.run(run_id)["state"] == "cancelled" for run_id in due)

    # -- what agents do ------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.in_state("pending", "retrying"))
    @rule(by=_any, most=st.integers(1, WORKERS))
    def claim(self, by: int, most: int) -> None:
        agent, before = self.agent(by), self.rows.runs()
        workers = agent.idle(most)
        claimed = self.do(self.claims(agent, most))
        after = self.rows.runs()
        closed = {run_id for run_id in after if after[run_id]["state"] != before[run_id]["state"]}
        closed -= {each.run.id for each in claimed}
        assert [each.run.worker_id for each in claimed] == workers[: len(claimed)]
        order = [(-each.run.priority, each.run.number) for each in claimed]
        assert order == sorted(order)
        for each in claimed:
            was = before[each.run.id]
            assert was["state"] in ("pending", "retrying")
            assert was["cancel_due_at"] is None
            assert was["available_at"] <= self.micros
            assert each.run.attempt == was["attempt"] + 1
        if not closed and len(claimed) < len(workers):
            assert not [run["id"] for run in after.values() if self.may_start(run, after)], "left waiting"
        if not closed and claimed:
            self.check_none_was_passed_over(claimed, before)

    @precondition(lambda self: self.has_attempts())
    @rule(which=st.lists(_any, min_size=1, max_size=4), by=_any)
    def heartbeat(self, which: list[int], by: int) -> None:
        self.keep_running(by)
        agent, fences = self.agent(by), self.some_fences(which)
        until = self.now + LEASE
        stale = [fence for fence in fences if not self.holds(fence)]
        before = self.rows.runs()
        refused = self.do(agent.store.extend_leases(fences, until, self.now))
        assert refused == stale
        agent.is_rid_of(refused)
        given = {fence.run_id for fence in fences if fence not in stale}
        for run_id, row in self.rows.runs().items():
            assert row == ({**before[run_id], "lease_until": to_micros(until)} if run_id in given else before[run_id])

    @precondition(lambda self: self.has_attempts())
    @rule(which=st.lists(_any, min_size=1, max_size=3), done=st.integers(0, 9), by=_any)
    def update(self, which: list[int], done: int, by: int) -> None:
        self.keep_running(by)
        fences = self.some_fences(which)
        holders = {fence.run_id for fence in fences if self.holds(fence)}
        before = {run_id: self.beside(run_id) for run_id in self.rows.runs()}
        refused = self.do(self.agent(by).store.update_runs([self.news(fence, done) for fence in fences], self.now))
        assert refused == [fence for fence in fences if not self.holds(fence)]
        for run_id, was in before.items():
            if run_id in holders:
                assert self.run(run_id)["done"] == done, "what the holder said is not there"
            else:
                assert self.beside(run_id) == was, "somebody wrote for a run without holding it"

    @precondition(lambda self: self.has_attempts())
    @rule(which=st.lists(st.tuples(_any, _ends), min_size=1, max_size=3), by=_any)
    def finish(self, which: list[tuple[int, str]], by: int) -> None:
        """Ends as workers tell them, the same one twice too: the first that holds counts, all others are evidence."""
        self.keep_running(by)
        agent, fences = self.agent(by), self.fences[::-1]
        outcomes = [self.outcome(_one(fences, each), how) for each, how in which if fences]
        first: dict[Fence, Outcome] = {}
        for outcome in outcomes:
            if self.holds(outcome.fence):
                first.setdefault(outcome.fence, outcome)
        wanted = {fence.run_id: self.end_of(outcome) for fence, outcome in first.items()}
        evidence, before = self.rows.late_results(), self.rows.runs()
        moved = self.do(agent.store.finish(outcomes, self.now))
        ended = {run.id: str(run.state) for run in moved}
        assert ended == wanted, f"ended {ended}, should have {wanted}"
        fresh = self.rows.late_results()[len(evidence) :]
        late = [outcome for outcome in outcomes if first.get(outcome.fence) is not outcome]
        assert sorted((row["attempt"], row["worker_id"], row["outcome"]) for row in fresh) == sorted(
            (outcome.fence.attempt, outcome.fence.worker_id, outcome.state) for outcome in late
        )
        for run_id, row in self.rows.runs().items():
            assert run_id in wanted or row == before[run_id]
        self.forget([outcome.fence for outcome in outcomes])

    @precondition(lambda self: self.in_state("running"))
    @rule(by=_any, again=st.booleans(), known=st.booleans())
    def rescue(self, by: int, again: bool, known: bool) -> None:
        """Leases that ran out: whoever held them may come back and is refused, or knows and takes the next run."""
        agent = self.agent(by)
        expired = self.do(agent.store.expired_leases(self.now))
        assert {each.run.id for each in expired} == {
            run["id"] for run in self.rows.runs().values() if (run["lease_until"] or self.micros + 1) <= self.micros
        }
        self.do(
            agent.store.finish(
                [self.outcome(_fence(each), "retrying" if again else "failed") for each in expired], self.now
            )
        )

    @precondition(lambda self: self.in_state("running"))
    @rule(which=_any)
    def restart(self, which: int) -> None:
        """An agent dies and comes back under a new id; what it held is rescued, its workers' words come late."""
        agent = self.agent(which)
        old = agent.id
        self.do(agent.stop())
        self.do(agent.start())
        others = self.do(agent.store.leases_of_other_agents(agent.id))
        held = {run["id"] for run in self.rows.runs().values() if run["state"] == "running"}
        assert {each.run.id for each in others} == held
        mine = [each for each in others if (each.run.worker_id or "").startswith(f"{old}-")]
        self.do(agent.store.finish([self.outcome(_fence(each), "retrying") for each in mine], self.now))

    @precondition(lambda self: self.has_attempts())
    @rule(which=st.integers(0, 2), hows=st.lists(_ends, min_size=2, max_size=3), run=_any, most=st.integers(1, WORKERS))
    def one_commit(self, which: int, hows: list[str], run: int, most: int) -> None:
        """What is asked for together shares a transaction: claims of both agents, ends of one attempt, a cancel."""
        self.keep_running(0)
        store, fence = self.agents[0].store, _one(self.fences[::-1], which) if self.fences else None
        ends = [store.finish([self.outcome(fence, how)], self.now) for how in hows] if fence else []
        held = fence is not None and self.holds(fence)
        asked = self.some_runs([run])[0]["id"]
        claims = [self.claims(agent, most, through=store) for agent in self.agents]
        cancel = store.request_cancel([asked], "anna", None, self.now)
        first, second, _, *moved = self.do(_together(*claims, cancel, *ends))
        assert not {each.run.id for each in first} & {each.run.id for each in second}, "claimed by both"
        assert list(map(len, moved)) == [held, *[0] * (len(moved) - 1)][: len(moved)]
        self.forget([fence] if fence else [])

    # -- what is true at all times -------------------------------------------------------------------------------------

    @invariant()
    def every_promise_is_kept(self) -> None:
        self.witness.look()
        told = [event["id"] for event in self.witness.told]
        for agent in self.agents:
            heard = [event.id for event in agent.heard]
            begin = told.index(heard[0]) if heard else 0
            assert heard == told[begin : begin + len(heard)], "events that came twice, out of order, or not at all"

    # -- looking and choosing ------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def micros(self) -> int:
        return to_micros(self.now)

    def do(self, act: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(act)

    def agent(self, number: int) -> Agent:
        return _one(self.agents, number)

    def has_attempts(self) -> bool:
        return bool(self.fences) or any(self.may_start(run, self.rows.runs()) for run in self.rows.runs().values())

    def keep_running(self, by: int) -> None:
        """Hypothesis leaves some rules out of an example: claims come to pass all the same."""
        if len(self.in_state("running")) < 2:
            self.claim(by, WORKERS)

    def job(self, number: int) -> Row:
        return self.rows.jobs()[_one(self.jobs, number)]

    def living(self) -> list[Row]:
        return [job for job in self.rows.jobs().values() if job["deleted_at"] is None]

    def in_state(self, *states: str) -> list[Row]:
        return [run for run in self.rows.runs().values() if run["state"] in states]

    def leaving(self) -> list[Row]:
        return [run for run in self.rows.runs().values() if run["cancel_due_at"] is not None]

    def run(self, run_id: str) -> Row:
        return self.rows.runs()[run_id]

    def runs_of(self, job: Row) -> list[Row]:
        return [run for run in self.rows.runs().values() if run["job_number"] == job["number"]]

    def some_runs(self, which: list[int]) -> list[Row]:
        """The newest first: there things happen."""
        runs = list(self.rows.runs().values())[::-1]
        return list({run["id"]: run for run in (_one(runs, each) for each in which)}.values())

    def some_fences(self, which: list[int]) -> list[Fence]:
        newest = self.fences[::-1]
        return list(dict.fromkeys(_one(newest, each) for each in which)) if newest else []

    def holds(self, fence: Fence) -> bool:
        run = self.run(fence.run_id)
        return (run["state"], run["attempt"], run["worker_id"]) == ("running", fence.attempt, fence.worker_id)

    def beside(self, run_id: str) -> tuple[Row, list[list[Row]]]:
        """All that an attempt may write."""
        run = self.run(run_id)
        return run, self.rows.said(run["number"])

    def may_start(self, run: Row, runs: dict[str, Row]) -> bool:
        """By the words of the port, not by the store's query."""
        if run["state"] not in ("pending", "retrying") or run["cancel_due_at"] is not None:
            return False
        if run["available_at"] > self.micros or (run["chained"] and _has_older(run, runs)):
            return False
        same = [
            each for each in runs.values()
            if each["state"] == "running" and each["concurrency_key"] == run["concurrency_key"]
        ]  # fmt: skip
        return run["concurrency_key"] is None or len(same) < run["concurrency_limit"]

    def check_none_was_passed_over(self, claimed: list[ClaimedRun], before: dict[str, Row]) -> None:
        """Of those without a limit, none that comes before the last that was claimed still waits."""
        taken = {each.run.id for each in claimed}
        last = max((-each.run.priority, each.run.number) for each in claimed)
        passed = [
            run["id"]
            for run in before.values()
            if run["id"] not in taken
            and run["concurrency_key"] is None
            and self.may_start(run, before)
            and not (run["chained"] and _has_older(run, before))
            and (-run["priority"], run["number"]) < last
        ]
        assert not passed, f"passed over: {passed}"

    async def claims(self, agent: Agent, most: int, through: SqlStore | None = None) -> list[ClaimedRun]:
        claimed = await (through or agent.store).claim(agent.idle(most), agent.id, self.now + LEASE, self.now)
        self.fences += agent.took(claimed)
        return claimed

    def forget(self, fences: list[Fence]) -> None:
        for agent in self.agents:
            agent.is_rid_of(fences)

    # -- making --------------------------------------------------------------------------------------------------------

    def marks(self, window_end: datetime | None) -> ScheduleMarks:
        return ScheduleMarks(self.now + MINUTE, self.now, window_end, "2026a", "every minute")

    def fire_row(self, job_id: str, moment: datetime, fate: str) -> FireRow:
        if fate in ("started", "chained"):
            run = NewRun(new_id(), job_id, "schedule", moment, self.now, chained=fate == "chained")
            return FireRow(moment, FireOutcome.STARTED, FireReason.ON_TIME, run)
        return FireRow(moment, FireOutcome(fate), FireReason.CATCH_UP_NONE)

    def news(self, fence: Fence, done: int) -> RunUpdate:
        step = {"position": 1, "key": "one", "title": "One", "state": "running", "at": self.now.isoformat()}
        return RunUpdate(fence, self.now, {"done": done, "total": 9}, {"at": done}, ["careful"], [step], log_total=done)

    def outcome(self, fence: Fence, how: str) -> Outcome:
        error = None if how in ("completed", "cancelled") else RunError(kind="refused", message="no", transient=True)
        later = self.now if how == "retrying" else None
        return Outcome(fence, how, self.now, result={"by": fence.worker_id}, error=error, retry_at=later)  # type: ignore[arg-type]

    def end_of(self, outcome: Outcome) -> str:
        """No further attempt where somebody wants it to end, or its job is gone."""
        run = self.run(outcome.fence.run_id)
        if outcome.state != "retrying":
            return outcome.state
        if run["cancel_requested_at"] is not None:
            return "cancelled"
        gone = [job for job in self.rows.jobs().values() if job["number"] == run["job_number"] and job["deleted_at"]]
        return "failed" if gone else "retrying"


def _one(things: Sequence[T], number: int) -> T:
    return things[number % len(things)]


def _fence(claimed: ClaimedRun) -> Fence:
    return Fence(claimed.run.id, claimed.run.attempt, claimed.run.worker_id or "")


def _has_older(run: Row, runs: dict[str, Row]) -> bool:
    return any(
        each["job_number"] == run["job_number"] and each["number"] < run["number"] and each["state"] not in FINAL
        for each in runs.values()
    )


def _definition(number: int, key: str | None, priority: int) -> JobInput:
    policies = {"priority": priority, "concurrency": {"key": key, "limit": LIMITS[key] if key else 1}}
    given = {"name": f"Job {number}", "type": "command", "interval_type": "cron", "interval": "* * * * *"}
    return JobInput.model_validate({**given, "policies": policies})


async def _together(*acts: Coroutine[Any, Any, Any]) -> list[Any]:
    return await asyncio.gather(*acts)


def _memory() -> Path | None:
    """Where files cost no disk: thousands of examples commit tens of thousands of times."""
    folder = Path("/dev/shm")
    return folder if folder.is_dir() else None
