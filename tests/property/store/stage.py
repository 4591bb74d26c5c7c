"""Where any order of events happens: two agents with workers on one file, what can be seen of it, and what can be made."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from agent.core.records import Ahead, ClaimedRun, Fence, FireRow, NewRun, Outcome, RunUpdate, ScheduleMarks, SettledJob
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


class Stage(RuleBasedStateMachine):
    """Two agents with three workers each, on one file."""

    template: Path
    """A store without jobs, copied for each example."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(NOON)
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="jobdeck-any-order-", dir=memory()))
        path = self.folder / "store.db"
        shutil.copyfile(self.template, path)
        self.rows = Rows(path)
        self.witness = Witness(self.rows)
        self.agents = [Agent(name, path, self.clock) for name in ("anna", "berta")]
        self.jobs: list[str] = []
        self.fences: list[Fence] = []
        """All that were ever given, whether or not they hold."""
        self.decisions: list[SettledJob] = []

    def teardown(self) -> None:
        for agent in self.agents:
            if hasattr(agent, "store"):
                self.do(agent.stop())
        self.rows.close()
        self.loop.close()
        shutil.rmtree(self.folder)

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
        return one(self.agents, number)

    def has_attempts(self) -> bool:
        return bool(self.fences) or any(self.may_start(run, self.rows.runs()) for run in self.rows.runs().values())

    def keep_running(self, by: int) -> None:
        """Hypothesis leaves some rules out of an example: claims come to pass all the same."""
        if len(self.in_state("running")) < 2:
            self.claim(by, WORKERS)

    def job(self, number: int) -> Row:
        return self.rows.jobs()[one(self.jobs, number)]

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
        return list({run["id"]: run for run in (one(runs, each) for each in which)}.values())

    def some_fences(self, which: list[int]) -> list[Fence]:
        newest = self.fences[::-1]
        return list(dict.fromkeys(one(newest, each) for each in which)) if newest else []

    def in_turn(self, fences: list[Fence]) -> list[Fence]:
        """Without those of promised runs that could not have begun: a worker says that one run is over before it
        begins the next."""
        busy = {run["worker_id"] for run in self.in_state("running")}
        spoken = []
        for fence in fences:
            begins = self.holds(fence) and self.run(fence.run_id)["state"] == "pending"
            if begins and fence.worker_id in busy:
                continue
            busy |= {fence.worker_id} if begins else set()
            spoken.append(fence)
        return spoken

    def holds(self, fence: Fence) -> bool:
        """Also of a run that is promised, and so pending."""
        run = self.run(fence.run_id)
        leased = run["lease_until"] is not None
        return leased and (run["attempt"], run["worker_id"]) == (fence.attempt, fence.worker_id)

    def beside(self, run_id: str) -> tuple[Row, list[list[Row]]]:
        """All that an attempt may write."""
        run = self.run(run_id)
        return run, self.rows.said(run["number"])

    def may_start(self, run: Row, runs: dict[str, Row]) -> bool:
        """By the words of the port, not by the store's query."""
        if run["state"] not in ("pending", "retrying") or run["cancel_due_at"] is not None:
            return False
        if run["lease_until"] is not None:
            return False
        if run["available_at"] > self.micros or (run["chained"] and has_older(run, runs)):
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
            and not (run["chained"] and has_older(run, before))
            and (-run["priority"], run["number"]) < last
        ]
        assert not passed, f"passed over: {passed}"

    async def claims(
        self, agent: Agent, most: int, through: SqlStore | None = None, ahead: int = 0
    ) -> list[ClaimedRun]:
        promises = Ahead(agent.places_ahead(ahead), lambda claimed: claimed.run.priority >= 0) if ahead else None
        store = through or agent.store
        claimed = await store.claim(agent.idle(most), agent.id, self.now + LEASE, self.now, promises)
        self.fences += agent.took(claimed)
        return claimed

    def forget(self, fences: list[Fence]) -> None:
        for agent in self.agents:
            agent.is_rid_of(fences)

    # -- ends -------------------------------------------

    def end(self, agent: Agent, outcomes: list[Outcome]) -> None:
        """Store these ends; exactly what holds has moved then, as it had to."""
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


def one(things: Sequence[T], number: int) -> T:
    return things[number % len(things)]


def fence_of(claimed: ClaimedRun) -> Fence:
    return Fence(claimed.run.id, claimed.run.attempt, claimed.run.worker_id or "")


def has_older(run: Row, runs: dict[str, Row]) -> bool:
    return any(
        each["job_number"] == run["job_number"] and each["number"] < run["number"] and each["state"] not in FINAL
        for each in runs.values()
    )


def definition(number: int, key: str | None, priority: int) -> JobInput:
    policies = {"priority": priority, "concurrency": {"key": key, "limit": LIMITS[key] if key else 1}}
    given = {"name": f"Job {number}", "type": "command", "interval_type": "cron", "interval": "* * * * *"}
    return JobInput.model_validate({**given, "policies": policies})


async def together(*acts: Coroutine[Any, Any, Any]) -> list[Any]:
    return await asyncio.gather(*acts)


def memory() -> Path | None:
    """Where files cost no disk: thousands of examples commit tens of thousands of times."""
    folder = Path("/dev/shm")
    return folder if folder.is_dir() else None
